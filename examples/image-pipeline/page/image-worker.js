import { serveImages } from 'stowage/browser'

serveImages(self)
