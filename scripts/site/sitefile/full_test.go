package sitefile_test

// full says everything a site file can say.
const full = `
slug: dogs
name: Working Dogs
url: https://dogs.example
time_zone: America/New_York
language: en-US
audience: people who work with dogs
voice: Plain and exact.
author: Dog Desk
categories: [Access, Travel]
tags: [law, trains]
article_budget: "$0.15"
cms:
  kind: wordpress
  url: https://dogs.example/blog
  user: desk
  password: ${DOGS_PASSWORD}
  post_type: page
  seo: rankmath
  terms: refuse
  term_names: {Travel: On the road, law: Legal}
  image: none
schedule:
  days: [mon, wed, fri]
  time: "10:00"
research:
  every: 6h
  budget: "$0.02"
sources:
  - {prefix: "https://law.example/acts/", tier: authoritative, start: true}
  - {prefix: "https://papers.example/", tier: secondary}
competitors:
  - {name: Rival, kind: feed, url: "https://rival.example/feed/", via: reader, most: 50}
  - {name: Other, kind: sitemap, url: "https://other.example/sitemap.xml"}
rules:
  legal_terms: [must, law]
  legal_min_sources: 2
  forbidden:
    - {pattern: 'dogs? must be registered', reason: no law asks for it}
  disclaimers:
    - This is general information, not legal advice.
  ai_disclosure: Drafted with an AI system and approved by a person.
  min_words: 1500
  max_words: 2500
`
