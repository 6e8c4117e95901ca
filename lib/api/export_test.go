package api

import (
	"reflect"

	"blogposter/lib/view"
)

// Schemas are the types behind the schemas of the OpenAPI file, by name; what
// they are made of is followed from there.
var Schemas = map[string]reflect.Type{
	"ArticleList":    reflect.TypeFor[list[view.Article]](),
	"CheckedArticle": reflect.TypeFor[view.CheckedArticle](),
	"Check":          reflect.TypeFor[found](),
	"Decided":        reflect.TypeFor[decided](),
	"Order":          reflect.TypeFor[order](),
	"Review":         reflect.TypeFor[sheet](),
	"RunDetail":      reflect.TypeFor[view.Detail](),
	"RunList":        reflect.TypeFor[list[view.Run]](),
	"Site":           reflect.TypeFor[view.Site](),
	"SiteSettings":   reflect.TypeFor[view.SiteSettings](),
	"TakeBack":       reflect.TypeFor[takeBack](),
	"TopicDetail":    reflect.TypeFor[view.TopicDetail](),
	"TopicList":      reflect.TypeFor[list[view.Topic]](),
	"Verdict":        reflect.TypeFor[verdict](),
	"Watch":          reflect.TypeFor[watch](),
}
