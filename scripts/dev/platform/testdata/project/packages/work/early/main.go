// Command early ends before it acknowledges, as a function with a missing
// setting does.
package main

import (
	"errors"

	"blogposter/lib/faas"
)

func main() { faas.Fail(errors.New("DATABASE_URL is not set: put it into .env")) }
