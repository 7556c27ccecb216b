export const S3_CREDENTIALS = {
  region: 'local',
  accessKeyId: 'stand-in-access-key',
  secretAccessKey: 'stand-in-secret-key',
}
