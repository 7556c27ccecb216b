#!/bin/sh
# Stands for npx while a guide is tried: runs what is installed, and never asks a registry for what is not.
name="$1"
shift
if [ ! -e "node_modules/.bin/$name" ]; then
  echo "npx: $name is not installed in $PWD" >&2
  exit 1
fi
exec node "node_modules/.bin/$name" "$@"
