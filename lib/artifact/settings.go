package artifact

// Settings reads variables; *config.Env does.
type Settings interface {
	Need(name, how string) string
	Get(name, def string) string
}

// FromEnv is the Config that the S3_* variables describe. What is missing is
// reported by the Settings.
func FromEnv(env Settings) Config {
	return Config{
		Endpoint:  env.Need("S3_ENDPOINT", "the S3 service's address, such as https://nyc3.digitaloceanspaces.com"),
		Region:    env.Get("S3_REGION", "us-east-1"),
		Bucket:    env.Need("S3_BUCKET", "the bucket that holds pages by their hash"),
		AccessKey: env.Need("S3_ACCESS_KEY", "from the S3 service's access keys"),
		SecretKey: env.Need("S3_SECRET_KEY", "from the S3 service's access keys"),
		Checksums: env.Get("S3_CHECKSUMS", "off"),
	}
}
