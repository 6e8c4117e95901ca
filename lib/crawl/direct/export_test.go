package direct

// Public is the guard at dialing, which no test can reach by a public name.
var Public = public
