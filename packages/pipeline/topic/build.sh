#!/bin/bash
# Builds this function for the platform. The same file in every function.
set -euo pipefail
CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -buildvcs=false -trimpath -ldflags="-s -w" -o exec .
