package store

// Translate lets tests classify an error of a query they sent themselves.
var Translate = translate
