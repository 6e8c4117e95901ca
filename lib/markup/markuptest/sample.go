// Package markuptest has one finished article for the tests of every room
// that renders, checks or publishes one.
package markuptest

import (
	"time"

	"blogposter/lib/editorial"
)

const (
	lawQuote   = "Under the ADA, a service animal is defined as a dog that has been individually trained to do work or perform tasks for an individual with a disability."
	askQuote   = "When it is not obvious what service an animal provides, only limited inquiries are allowed. Staff may ask two questions."
	paperQuote = "Covered entities may not require documentation, such as proof that the animal has been certified, trained, or licensed as a service animal."
)

// Dossier is a Run whose Draft passed the fact check and every lint rule, but
// is not rendered yet.
func Dossier() editorial.Dossier {
	read := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	return editorial.Dossier{
		Site:  site(),
		Brief: editorial.Brief{RunID: 41, Marker: "bp-0123456789abcdef0123456789abcdef", Topic: "questions a business may ask about a service dog"},
		Snapshots: []editorial.Snapshot{
			{ID: 7, URL: "https://www.ada.example/faq?lang=en&v=2", Title: "Frequently Asked Questions about Service Animals", Tier: editorial.TierAuthoritative, FetchedAt: read},
			{ID: 8, URL: "https://law.example/28-cfr-36", Title: "28 CFR § 36.302 – Modifications in policies", Tier: editorial.TierAuthoritative, FetchedAt: read},
			{ID: 9, URL: "https://guide.example/visits", Title: "A Shop Owner’s Guide to Visits with Dogs", Tier: editorial.TierSecondary, FetchedAt: read},
		},
		Evidence: []editorial.Evidence{
			{N: 1, SnapshotID: 7, Quote: lawQuote},
			{N: 2, SnapshotID: 8, Quote: askQuote},
			{N: 3, SnapshotID: 7, Quote: paperQuote},
			{N: 4, SnapshotID: 9, Quote: "Calm dogs stay close to their handlers and ignore food on the floor."},
		},
		Draft: draft(),
		Claims: []editorial.Claim{{
			N: 1, Place: "1.0.0.0", Text: "Staff may ask two questions.", Legal: true, Verdict: editorial.VerdictSupported,
			Citations: []editorial.Citation{
				{SnapshotID: 8, URL: "https://law.example/28-cfr-36", Tier: editorial.TierAuthoritative, Quote: askQuote},
				{SnapshotID: 7, URL: "https://www.ada.example/faq?lang=en&v=2", Tier: editorial.TierAuthoritative, Quote: paperQuote},
			},
		}},
		Published: []editorial.Link{
			{Title: "How to Read a Restaurant’s Pet Policy", URL: "https://dogs.example/pet-policy/", Keyphrase: "pet policy"},
			{Title: "Training a Service Dog at Home", URL: "https://dogs.example/training-at-home/", Keyphrase: "service dog training"},
			{Title: "Air Travel With a Service Dog", URL: "https://dogs.example/air-travel/", Keyphrase: "service dog air travel"},
		},
	}
}

func site() editorial.Site {
	return editorial.Site{
		ID: 3, Slug: "dogs", Name: "Working Dogs Desk", URL: "https://dogs.example", Language: "en-US", Author: "The Working Dogs Desk",
		Categories: []string{"Access & Law"}, CMS: editorial.CMS{Kind: "wordpress", URL: "https://dogs.example", User: "desk"},
		Rules: editorial.Rules{
			LegalTerms: []string{"ADA"}, LegalMinSources: 2, MinWords: 150, MaxWords: 2500,
			Forbidden:    []editorial.Forbidden{{Pattern: `must (be registered|carry (papers|an id))`, Reason: "no federal law asks for registration"}},
			Disclaimers:  []string{"This article is general information, not legal advice.", "State law may give you more rights than the ADA does."},
			AIDisclosure: "A language model wrote this article from the sources listed below; a person checked and approved it.",
		},
	}
}

func draft() *editorial.Draft {
	return &editorial.Draft{
		ID: 12, Version: 1,
		Title:           "Two Service Dog Questions a Business May Ask You",
		Slug:            "service-dog-questions-a-business-may-ask",
		Excerpt:         "Staff may ask two questions about a service dog, and no more. Here is what they are and what you can say.",
		MetaDescription: "Staff may ask only two service dog questions under the ADA. Learn what they are, what stays private, and how to answer in a calm and simple way.",
		Keyphrase:       "service dog questions",
		Categories:      []string{"Access & Law"}, Tags: []string{"ADA", "public access"},
		Body: editorial.Body{Sections: []editorial.Section{
			{Blocks: []editorial.Block{paragraph(
				says("Most service dog questions at a shop door come from staff who have never read the rules."),
				says("A service dog is one that was trained to do work for a person with a disability.", 1),
				says("This guide lists what staff may ask, what they may not ask, and how you can answer."),
			)}},
			{Heading: "What staff may ask", Blocks: []editorial.Block{
				paragraph(
					says("When the need is not plain to see, staff may ask two questions under the ADA.", 2),
					says("They have to stop there, even if they are curious or unsure about your answer.", 3),
				),
				list(
					says("Is the dog a service animal that you need because of a disability?", 2),
					says("What work or task has the dog been trained to perform for you?", 2),
				),
				paragraph(says("You do not have to show the task, and you do not have to talk about your health.", 3)),
			}},
			{Heading: "What staff may not ask for", Blocks: []editorial.Block{paragraph(
				says("No one at the door may ask for papers, a vest, or proof of training.", 3),
				says("A card bought on the web has no legal weight, so a shop can not make you carry one.", 3),
				says("If a person insists, stay calm and ask to speak with the manager in charge."),
			)}},
			{Heading: "How to answer service dog questions", Blocks: []editorial.Block{paragraph(
				says("Keep the answer short, and name the task in plain words."),
				says("“She alerts me before a seizure” is enough."),
				says("Calm dogs that stay close to their handlers rarely draw a second look.", 4),
				says("Practice these lines at home until they feel like a normal part of the day."),
			)}},
		}},
	}
}

func says(text string, evidence ...int) editorial.Sentence {
	return editorial.Sentence{Text: text, Evidence: evidence}
}

func paragraph(s ...editorial.Sentence) editorial.Block {
	return editorial.Block{Kind: editorial.BlockParagraph, Items: []editorial.Item{{Sentences: s}}}
}

func list(s ...editorial.Sentence) editorial.Block {
	b := editorial.Block{Kind: editorial.BlockList}
	for _, one := range s {
		b.Items = append(b.Items, editorial.Item{Sentences: []editorial.Sentence{one}})
	}
	return b
}

// Hostile is text that tries to get out of the place it is put in: out of a
// block, a tag, a script, a shortcode's way, an embed's way.
const Hostile = `<!-- /wp:paragraph --> --> <script>alert(1)</script> [gallery ids="1"] [/caption] </p> & &amp; &#60;b&#62; :-) \u003c \" 'q' <?php echo 1 ?> {{x}} $& ünï 🐕 ]]>`
