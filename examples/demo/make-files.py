"""Draws the files in examples/files. Run once by hand: needs Python, Pillow and ffmpeg; nothing else uses it.

    python3 examples/demo/make-files.py examples/files
"""
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

root = Path(sys.argv[1])


def landscape(width, height, sun, seed=7):
    """Hills at a lake; `sun` from 0 (low) to 1 (high)."""
    dice = random.Random(seed)
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    shore = int(height * 0.62)
    for y in range(shore):
        t = y / shore
        draw.line(
            [(0, y), (width, y)],
            fill=(int(70 + 175 * t), int(110 + 75 * t + 30 * sun), int(190 - 60 * t + 40 * sun)),
        )
    x, y, r = width * 0.68, shore * (0.85 - 0.55 * sun), height * 0.06
    glow = Image.new("RGB", (width, height))
    ImageDraw.Draw(glow).ellipse([x - 4 * r, y - 4 * r, x + 4 * r, y + 4 * r], fill=(90, 60, 20))
    image = Image.blend(image, Image.eval(glow.filter(ImageFilter.GaussianBlur(r)), lambda v: v), 0.0)
    image.paste((255, 190, 110), mask=glow.convert("L").filter(ImageFilter.GaussianBlur(r)))
    draw = ImageDraw.Draw(image)
    draw.ellipse([x - r, y - r, x + r, y + r], fill=(255, 240, 205))
    for layer in range(5):
        base = shore - height * (0.30 - 0.06 * layer)
        waves = [(dice.uniform(1, 9) * (layer + 1), dice.uniform(0, 7), dice.uniform(0.2, 1)) for _ in range(6)]
        ridge = []
        for px in range(0, width + 4, 4):
            h = sum(math.sin(px / width * f + p) * a for f, p, a in waves) * height * 0.03
            ridge.append((px, base - h + dice.uniform(-1.5, 1.5)))
        shade = layer / 4
        color = (int(95 - 60 * shade), int(115 - 55 * shade), int(140 - 85 * shade))
        draw.polygon([(0, shore), *ridge, (width, shore)], fill=color)
    lake = image.crop((0, 2 * shore - height, width, shore)).transpose(Image.FLIP_TOP_BOTTOM)
    lake = Image.blend(lake, Image.new("RGB", lake.size, (30, 60, 90)), 0.35)
    image.paste(lake.filter(ImageFilter.GaussianBlur(height / 300)), (0, shore))
    draw = ImageDraw.Draw(image)
    for _ in range(260):
        wx, wy = dice.uniform(0, width), dice.uniform(shore + 4, height)
        length = width * 0.02 * (0.3 + (wy - shore) / (height - shore))
        draw.line([(wx, wy), (wx + length, wy)], fill=(190, 200, 205))
    return image


def photo():
    image = landscape(1600, 1066, 0.35).filter(ImageFilter.GaussianBlur(0.6))
    noise = Image.effect_noise((1600, 1066), 14).convert("RGB")
    Image.blend(image, noise, 0.05).save(root / "photos" / "lake.jpg", quality=84, optimize=True)


def video():
    with tempfile.TemporaryDirectory() as frames:
        for i in range(48):
            landscape(480, 270, i / 47).save(f"{frames}/{i:03}.png")
        subprocess.run(
            ["ffmpeg", "-y", "-loglevel", "error", "-framerate", "16", "-i", f"{frames}/%03d.png",
             "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "26", "-preset", "veryslow",
             "-movflags", "+faststart", "-fflags", "+bitexact", str(root / "videos" / "sunrise.mp4")],
            check=True,
        )


def pdf():
    lines = ["stowage: a page made for the demo", "", "It has one page, one font and one drawing,", "and nobody has to read it."]
    text = "BT /F1 20 Tf 72 740 Td 26 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    boxes = " ".join(f"{0.2 + 0.15 * i:.2f} 0.45 0.7 rg {72 + 90 * i} 480 70 {60 + 25 * i} re f" for i in range(5))
    content = f"{text}\n{boxes}".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % at for at in offsets)
    out += table + b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    (root / "documents" / "page.pdf").write_bytes(out)


for folder in ["photos", "videos", "documents"]:
    (root / folder).mkdir(parents=True, exist_ok=True)
photo()
video()
pdf()
