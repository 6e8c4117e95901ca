package llm

// Schemas is how many schemas were compiled.
func (c *Client) Schemas() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.schemas)
}
