package platform_test

import (
	"maps"
	"net/http"
	"strings"
)

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
	asText = "text/plain"

	notHTTP    = "Response is not valid 'message/http'."
	processing = "There was an error processing your request."
	notAllowed = "Request defines parameters that are not allowed (e.g., reserved properties)."
	otherType  = "Response type in header did not match generated content type."
	htmlType   = "text/html; charset=UTF-8"
)

// conformance is the table, a section of the fact sheet after the other.
func conformance() map[string]rule {
	all := map[string]rule{}
	for _, part := range []map[string]rule{
		requestsToRawFunctions(), requestsToParsedFunctions(), bodiesOfParsedFunctions(), results(), headersOfResults(), bodiesOfResults(),
		failures(), accessByWeb(), invocations(), protocol(),
	} {
		before := len(all)
		maps.Copy(all, part)
		if len(all) != before+len(part) {
			panic("two rows have one name")
		}
	}
	return all
}

// A raw function gets the request whole, under http.
func requestsToRawFunctions() map[string]rule {
	const (
		document = "PLATFORM 2 D: web: raw gives http{body,headers,isBase64Encoded,method,path,queryString}"
		encoding = "PLATFORM 2 V: upstream encodes bodies of binary types, and application/json always (WebActions.scala)"
		methods  = "PLATFORM 2 V: upstream's method is in lower case; the documented example is not, so compare without case"
		rest     = "PLATFORM 2 D: path is the part after the function's name"
	)
	return map[string]rule{
		"the method is in lower case": get("web/echo").by("PATCH").because(methods).shows(event{"http.method": "patch"}),
		"no body is an empty string":  get("web/echo").because(document).shows(event{"http.body": "", "http.isBase64Encoded": false}),

		"the path is what follows the function":              get("web/echo/runs/7").because(rest).shows(event{"http.path": "/runs/7"}),
		"nothing follows":                                    get("web/echo").because(rest).shows(event{"http.path": ""}),
		"a bare slash follows":                               get("web/echo/").because(rest).shows(event{"http.path": "/"}),
		"the path stays escaped and unclean":                 get("web/echo//a%20b%2Fc/../d").because(rest).shows(event{"http.path": "//a%20b%2Fc/../d"}),
		"an extension names the format, not the function":    get("web/echo.http/x").because("PLATFORM 2 V: {fn}[.json], and upstream's .http, come off the name").shows(event{"http.path": "/x"}),
		"the query is raw, so that repeated keys survive":    get("web/echo?tag=a&tag=b%26c&flag").because(document).shows(event{"http.queryString": "tag=a&tag=b%26c&flag", "tag": nil}),
		"predefined parameters stand at the top":             get("web/echo").because("PLATFORM 2 D: raw has project.yml's parameters at top level").shows(event{"site": "demo"}),
		"a raw caller may name a predefined one":             get("web/echo?site=x").because("PLATFORM 2 V: raw is exempt from the check of final parameters").shows(event{"site": "demo"}),
		"JSON comes as base64, although it is text":          post("web/echo", asJSON, `{"a":1}`).because(encoding).shows(event{"http.body": "eyJhIjoxfQ==", "http.isBase64Encoded": true}),
		"JSON with a charset too":                            post("web/echo", asJSON+"; charset=utf-8", `{"a":1}`).because(encoding).shows(event{"http.body": "eyJhIjoxfQ==", "http.isBase64Encoded": true}),
		"a form is text":                                     post("web/echo", asForm, `a=1&b=%20`).because(encoding).shows(event{"http.body": "a=1&b=%20", "http.isBase64Encoded": false, "a": nil}),
		"plain text is text":                                 post("web/echo", asText, "é").because(encoding).shows(event{"http.body": "é", "http.isBase64Encoded": false}),
		"a multipart form is binary":                         post("web/echo", "multipart/form-data; boundary=x", "--x--").because(encoding).shows(event{"http.body": "LS14LS0=", "http.isBase64Encoded": true}),
		"an image is binary":                                 post("web/echo", "image/png", "\xff").because(encoding).shows(event{"http.body": "/w==", "http.isBase64Encoded": true}),
		"no type is binary":                                  post("web/echo", "", "a").because(encoding).shows(event{"http.body": "YQ==", "http.isBase64Encoded": true}),
		"a type the platform does not know is binary":        post("web/echo", "application/problem+json", "a").because(encoding).shows(event{"http.body": "YQ==", "http.isBase64Encoded": true}),
		"unless it names a charset":                          post("web/echo", "application/problem+json; charset=utf-8", "a").because(encoding).shows(event{"http.body": "a", "http.isBase64Encoded": false}),
		"header names are in lower case, framing is not one": post("web/echo", asText, "a").with("X-Custom", "1").because("PLATFORM 2 D: headers are lower-cased").shows(event{"http.headers.x-custom": "1", "http.headers.X-Custom": nil, "http.headers.content-type": asText, "http.headers.content-length": nil}),
		"the front says who calls":                           get("web/echo").because("PLATFORM 6 D: x-forwarded-for, -proto and x-request-id are seen").shows(event{"http.headers.x-forwarded-for": "127.0.0.1", "http.headers.x-forwarded-proto": "http"}),
		"the front adds itself and keeps what was said":      get("web/echo").with("X-Forwarded-For", "203.0.113.9").with("X-Request-Id", "r1").because("PLATFORM 6 D: x-forwarded-for, -proto and x-request-id are seen").shows(event{"http.headers.x-forwarded-for": "203.0.113.9, 127.0.0.1", "http.headers.x-request-id": "r1"}),
	}
}

// A parsed function finds query and body among its event's own members.
func requestsToParsedFunctions() map[string]rule {
	const (
		document = "PLATFORM 2 D: web: true gives http{headers,method,path} and merges query, body and parameters at the top level"
		final    = "PLATFORM 2 V: the deployer sets final on every function, and upstream then answers 400; the documentation says that the body wins"
		reserved = "PLATFORM 2 V: upstream refuses its reserved names; http among them is a guess"
		last     = "PLATFORM 2 V: repeated query keys lose all but the last"
	)
	return map[string]rule{
		"parsed: the rest of the request is under http": get("web/form/runs/7?a=1").with("X-Custom", "1").because(document).shows(event{
			"http.method": "get", "http.path": "/runs/7", "http.headers.x-custom": "1", "http.queryString": nil, "http.body": nil, "http.isBase64Encoded": nil,
		}),
		"parsed: a query's value is a string":               get("web/form?n=1&flag").because(document).shows(event{"n": "1", "flag": ""}),
		"parsed: a query is decoded":                        get("web/form?a=b%26c+d").because(document).shows(event{"a": "b&c d"}),
		"parsed: the last of a repeated query key wins":     get("web/form?tag=a&tag=b").because(last).shows(event{"tag": "b"}),
		"parsed: predefined parameters stand beside":        get("web/form").because(document).shows(event{"site": "demo"}),
		"parsed: a query may not name a predefined one":     get("web/form?site=x").because(final).refused(400, notAllowed),
		"parsed: nor may a JSON body":                       post("web/form", asJSON, `{"site":"x"}`).because(final).refused(400, notAllowed),
		"parsed: nor may a form":                            post("web/form", asForm, `site=x`).because(final).refused(400, notAllowed),
		"parsed: a query may not name the platform's own":   get("web/form?__ow_path=x").because(reserved).refused(400, notAllowed),
		"parsed: nor may a body":                            post("web/form", asJSON, `{"http":{}}`).because(reserved).refused(400, notAllowed),
		"parsed: the body may not be named as the platform": post("web/form", asForm, `__ow_body=x`).because(reserved).refused(400, notAllowed),
		"parsed: a broken query is refused":                 get("web/form?a=%zz").because("PLATFORM 2 G: upstream's HTTP library refuses what it cannot read").gives(400).saying(event{"error": contains("malformed")}),
	}
}

func bodiesOfParsedFunctions() map[string]rule {
	const (
		document = "PLATFORM 2 D: the body is merged over the query"
		opaque   = "PLATFORM 2 V: upstream puts a body that is no object under __ow_body; what DigitalOcean calls it is not said, so use raw"
	)
	return map[string]rule{
		"parsed: JSON keeps its kinds":                      post("web/form", asJSON, `{"n":1,"list":[true,null],"o":{"a":"<"}}`).because(document).shows(event{"n": 1, "list": []any{true, nil}, "o.a": "<"}),
		"parsed: dialects of JSON are JSON":                 post("web/form", "application/vnd.api+json", `{"n":1}`).because("PLATFORM 2 V: upstream goes by +json").shows(event{"n": 1}),
		"parsed: the body wins over the query":              post("web/form?a=query&b=query", asJSON, `{"a":"body"}`).because(document).shows(event{"a": "body", "b": "query"}),
		"parsed: a form's values are strings, last wins":    post("web/form?a=query", asForm, `a=1&a=2&b=c%20d`).because(document).shows(event{"a": "2", "b": "c d"}),
		"parsed: an empty body adds nothing":                post("web/form?a=1", asJSON, ``).because(document).shows(event{"a": "1", "__ow_body": nil}),
		"parsed: broken JSON never reaches the function":    post("web/form", asJSON, `{"a":`).because("PLATFORM 2 V: upstream reads the body before it invokes").gives(400).saying(event{"error": contains("malformed")}),
		"parsed: nor does a broken form":                    post("web/form", asForm, `a=%zz`).because("PLATFORM 2 V: upstream reads the body before it invokes").gives(400).saying(event{"error": contains("malformed")}),
		"parsed: a list is one opaque value":                post("web/form", asJSON, `[1,2]`).because(opaque).shows(event{"__ow_body": []any{1, 2}}),
		"parsed: null is one too":                           post("web/form", asJSON, `null`).because(opaque).shows(event{"__ow_body": null}),
		"parsed: text is one opaque string":                 post("web/form", asText, "é").because(opaque).shows(event{"__ow_body": "é"}),
		"parsed: what is binary comes as base64, unmarked":  post("web/form", "image/png", "\xff").because(opaque).shows(event{"__ow_body": "/w==", "http.isBase64Encoded": nil}),
		"parsed: a body over 1 MB never reaches a function": post("web/form", asText, strings.Repeat("x", 1<<20+1)).because("PLATFORM 4 D: input is 1 MB").gives(413).saying(event{"error": "Request larger than allowed: 1048577 > 1048576 bytes."}),
	}
}

// A result becomes a response by its statusCode, headers and body.
func results() map[string]rule {
	const (
		status  = "PLATFORM 2 V: statusCode is an int or a numeric string that HTTP knows (WebActions.scala)"
		nothing = "PLATFORM 2 D: no body is 204"
		whole   = "PLATFORM 2 D: .json returns the whole object"
	)
	dotJSON := func(text string) rule { return post("web/answer.json", asText, text) }
	return map[string]rule{
		"a status as a number":             result(`{"statusCode":201,"body":"x"}`).because(status).gives(201).text(htmlType, "x"),
		"a status as a numeric string":     result(`{"statusCode":"404","body":"x"}`).because(status).gives(404).text(htmlType, "x"),
		"a status that HTTP does not know": result(`{"statusCode":799,"body":"x"}`).because(status).refused(400, notHTTP),
		"a status that is no number":       result(`{"statusCode":"fine","body":"x"}`).because(status).refused(400, notHTTP),
		"a fraction is no status":          result(`{"statusCode":200.5,"body":"x"}`).because(status).refused(400, notHTTP),
		"no body is 204":                   result(`{}`).because(nothing).gives(204),
		"a null body is 204":               result(`{"body":null}`).because(nothing).gives(204),
		"an empty body is 204, of no type": result(`{"body":"","headers":{"content-type":"text/plain"}}`).because(nothing).gives(204).sending("Content-Type", ""),
		"no body with a status keeps it":   result(`{"statusCode":202,"headers":{"content-type":"text/plain"}}`).because(nothing).gives(202),
		".json gives the whole result":     dotJSON(`{"statusCode":404,"body":"x"}`).because(whole).gives(200).text(asJSON, `{"statusCode":404,"body":"x"}`),
		".json gives an error's object":    dotJSON(`{"error":{"a":1}}`).because(whole).gives(200).text(asJSON, `{"a":1}`),
		".json cannot give a string":       dotJSON(`{"error":"boom"}`).because(whole).refused(400, "Response is not valid 'application/json'."),
		"exactly 1 MB passes":              get("web/answer?size=1048577").because("PLATFORM 4 D: a result is 1 MB").gives(200).text(htmlType, strings.Repeat("x", 1<<20-len(`{"body":""}`))),
	}
}

func headersOfResults() map[string]rule {
	const headers = "PLATFORM 2 V: values may be strings, numbers, booleans, or lists of them"
	return map[string]rule{
		"a header may be a string":            result(`{"body":"x","headers":{"X-S":"a"}}`).because(headers).gives(200).sending("X-S", "a"),
		"a header may be a number":            result(`{"body":"x","headers":{"x-n":7}}`).because(headers).gives(200).sending("X-N", "7"),
		"a header may be a boolean":           result(`{"body":"x","headers":{"x-b":true}}`).because(headers).gives(200).sending("X-B", "true"),
		"a header may be a list":              result(`{"headers":{"Set-Cookie":["a=1","b=2"]}}`).because(headers).gives(204).sending("Set-Cookie", "a=1, b=2"),
		"a header may not be an object":       result(`{"body":"x","headers":{"a":{}}}`).because(headers).refused(400, notHTTP),
		"nor a list of objects":               result(`{"body":"x","headers":{"a":[{}]}}`).because(headers).refused(400, notHTTP),
		"headers may not be a list":           result(`{"body":"x","headers":[]}`).because(headers).refused(400, notHTTP),
		"the length is the platform's to say": result(`{"body":"xyz","headers":{"content-length":"1"}}`).because("PLATFORM 2 G: the front frames the answer").gives(200).text(htmlType, "xyz"),
		"each answer names its activation":    result(`{"body":"x"}`).because("PLATFORM 2 V: upstream's X-Openwhisk-Activation-Id; here any answer allows every origin too").gives(200).sending("Access-Control-Allow-Origin", "*"),
	}
}

func bodiesOfResults() map[string]rule {
	const (
		byDefault = "PLATFORM 2 V: text/html for strings, JSON otherwise"
		binary    = "PLATFORM 2 V: a body of a binary type is base64; a type the library does not know is binary"
		legacy    = "PLATFORM 2 V: upstream still decodes a JSON text that looks like base64"
		known     = "PLATFORM 2 V: upstream parses the content type, and refuses what it cannot"
	)
	return map[string]rule{
		"a string is HTML unless it says otherwise": result(`{"body":"<b>é</b>"}`).because(byDefault).gives(200).text(htmlType, "<b>é</b>"),
		"what is no string is JSON":                 result(`{"body":{"a":[1,"<"]}}`).because(byDefault).gives(200).text(asJSON, `{"a":[1,"<"]}`),
		"JSON may be a bare value":                  result(`{"body":false}`).because(byDefault).gives(200).text(asJSON, `false`),
		"JSON may be a dialect":                     result(`{"body":{"a":1},"headers":{"content-type":"application/problem+json"}}`).because(byDefault).gives(200).text("application/problem+json; charset=UTF-8", `{"a":1}`),
		"JSON may not be called text":               result(`{"body":{"a":1},"headers":{"content-type":"text/plain"}}`).because(known).refused(400, otherType),
		"a JSON text stays as it is":                result(`{"body":"{\"a\": 1}","headers":{"Content-Type":"application/json"}}`).because(legacy).gives(200).text(asJSON, `{"a": 1}`),
		"a JSON text in base64 is decoded":          result(`{"body":"eyJhIjoxfQ==","headers":{"content-type":"application/json"}}`).because(legacy).gives(200).text(asJSON, `{"a":1}`),
		"a binary type is decoded":                  result(`{"body":"/w==","headers":{"content-type":"image/png"}}`).because(binary).gives(200).text("image/png", "\xff"),
		"SVG is an image, hence binary":             result(`{"body":"<svg/>","headers":{"content-type":"image/svg+xml"}}`).because(binary).refused(400, otherType),
		"a result's unknown type is binary":         result(`{"body":"# x","headers":{"content-type":"text/markdown"}}`).because(binary).refused(400, otherType),
		"unless the result's type has a charset":    result(`{"body":"# x","headers":{"content-type":"text/markdown; charset=utf-8"}}`).because(binary).gives(200).text("text/markdown; charset=UTF-8", "# x"),
		"a content type that is none":               result(`{"body":"x","headers":{"content-type":"nonsense"}}`).because(known).refused(400, "Response did not specify a known content-type."),
	}
}

// A function that fails, or does not answer at all.
func failures() map[string]rule {
	const (
		application = "PLATFORM 2 V: an application error is unwrapped at .error and read as a result"
		silent      = "PLATFORM 2 V: upstream has one answer for whatever did not answer, 400, the time-out included (WebActions.scala, completeRequest); 502 and 504 are nobody's"
		dictionary  = "PLATFORM 2 V: a response is one JSON object; DigitalOcean's proxy takes no list"
	)
	return map[string]rule{
		"an application error is unwrapped":        result(`{"error":{"statusCode":409,"body":"x"},"statusCode":200}`).because(application).gives(409).text(htmlType, "x"),
		"an error that is a string has no form":    result(`{"error":"boom"}`).because(application).refused(400, notHTTP),
		"a list is no result":                      result(`[1]`).because(dictionary).refused(400, processing),
		"null is no result":                        result(`null`).because(dictionary).refused(400, processing),
		"broken JSON is no result":                 result(`{"body":`).because(dictionary).refused(400, processing),
		"a function that exits answers 400":        get("web/answer?quit").because(silent).refused(400, processing),
		"a function that does not start does too":  get("work/early").because(silent).refused(400, processing),
		"a result over 1 MB is an error by string": get("web/answer?size=1048578").because("PLATFORM 4 D: a result is 1 MB; upstream makes more of it an application error, whose string has no HTTP form").refused(400, notHTTP),
	}
}

// Who may call what by its URL.
func accessByWeb() map[string]rule {
	const (
		secure = "PLATFORM 6 V: webSecure checks X-Require-Whisk-Auth before the code, and answers 401"
		cors   = "PLATFORM 6 D: the platform answers OPTIONS itself, with *, all methods and the headers that were asked for"
		own    = "PLATFORM 6 D: web-custom-options hands OPTIONS to the code and ends automatic headers"
	)
	return map[string]rule{
		"a private function is not there":        get("work/step").because("PLATFORM 2 V: upstream hides what is not exported").refused(404, "The requested resource does not exist."),
		"a method the platform does not take":    get("web/echo").by("LOCK").because("PLATFORM 2 V: upstream's allowed verbs").gives(405),
		"without the secret":                     get("web/guarded").because(secure).gives(401),
		"with a wrong secret":                    get("web/guarded").with("X-Require-Whisk-Auth", "guess").because(secure).gives(401),
		"with the secret":                        get("web/guarded").with("X-Require-Whisk-Auth", "open sesame").because(secure).gives(200).text("text/plain; charset=UTF-8", "guarded GET"),
		"OPTIONS is the platform's to answer":    get("web/echo").by("OPTIONS").with("Access-Control-Request-Headers", "x-mine").because(cors).gives(200).sending("Access-Control-Allow-Headers", "x-mine"),
		"OPTIONS allows every origin":            get("web/echo").by("OPTIONS").because(cors).gives(200).sending("Access-Control-Allow-Origin", "*"),
		"OPTIONS allows every method":            get("web/echo").by("OPTIONS").because(cors).gives(200).sending("Access-Control-Allow-Methods", "OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH"),
		"OPTIONS may be the function's":          get("web/guarded").by("OPTIONS").because(own).gives(200).sending("Access-Control-Allow-Origin", "https://desk.example"),
		"OPTIONS of its own needs no secret":     get("web/guarded").by("OPTIONS").because(own).gives(200).text("text/plain; charset=UTF-8", "guarded OPTIONS"),
		"a body that is over 1 MB once encoded":  post("web/echo", "", strings.Repeat("x", 1<<20)).because("PLATFORM 4 D: input is 1 MB, and base64 is a third larger").gives(413),
		"a public function is invoked privately": call("web/echo?blocking=true&result=true", `{"a":1}`).because("PLATFORM 5 D: the body is the event; there is no http key").gives(200).saying(event{"body.a": 1, "body.http": nil}),
	}
}

// One function invokes another.
func invocations() map[string]rule {
	const (
		async    = "PLATFORM 5 V: 202 and the activation's id (Actions.scala)"
		blocking = "PLATFORM 5 D: blocking=true&result=true returns the result"
		record   = "PLATFORM 5 V: blocking=true returns the record, 502 when the function failed"
		final    = "PLATFORM 5 V: upstream refuses what names a final parameter; the documentation says that the body merges over it"
		key      = "PLATFORM 5 V: Basic authentication with the namespace's key"
		limit    = "PLATFORM 4 D: input is 1 MB"
	)
	const wait, whole = "?blocking=true&result=true", "?blocking=true"
	return map[string]rule{
		"an asynchronous call is accepted":             call("work/step?blocking=false", `{}`).because(async).gives(202).saying(event{"activationId": contains("")}),
		"a call is asynchronous unless it says so":     call("work/step", `{}`).because(async).gives(202),
		"a blocking call gives the result":             call("work/step"+wait, `{"do":"fail"}`).because(blocking).gives(502).text(asJSON, `{"error":"no such run"}`),
		"a blocking call may give the record":          call("work/step"+whole, `{}`).because(record).gives(200).saying(event{"response.status": "success", "response.success": true, "name": "step", "namespace": "local", "version": "0.0.1"}),
		"a record of an application error":             call("work/step"+whole, `{"do":"fail"}`).because(record).gives(502).saying(event{"response.status": "application error", "response.statusCode": 1}),
		"a record of a function that exits":            call("work/step"+whole, `{"do":"exit"}`).because("PLATFORM 2 V: the proxy answers `command exited`").gives(502).saying(event{"response.status": "action developer error", "response.result.error": "command exited"}),
		"a record of a function that does not start":   call("work/early"+whole, `{}`).because("PLATFORM 2 V: the proxy answers `Cannot start function. Check logs`").gives(502).saying(event{"response.result.error": "Cannot start function. Check logs"}),
		"a record of too large a result":               call("web/answer"+whole, `{"http":{"queryString":"size=1048578"}}`).because("PLATFORM 4 V: upstream makes it an application error").gives(502).saying(event{"response.status": "application error", "response.result.error": contains("The action produced a response that exceeded the allowed length: 1048577 > 1048576 bytes.")}),
		"no body is an empty event":                    call("work/step"+wait, ``).because(blocking).gives(200),
		"a private call gets predefined parameters":    call("web/form"+wait, `{"a":1}`).because("PLATFORM 5 D: the body merges with the parameters").gives(200).saying(event{"body.site": "demo", "body.a": 1}),
		"a private call may not name one":              call("web/form"+wait, `{"site":"x"}`).because(final).refused(400, notAllowed),
		"an event that is a list":                      call("work/step", `[1]`).because("PLATFORM 5 D: the event is a JSON object").gives(400).saying(event{"error": contains("malformed")}),
		"an event that is null":                        call("work/step", `null`).because("PLATFORM 5 D: the event is a JSON object").gives(400),
		"an event that is broken":                      call("work/step", `{"a":`).because("PLATFORM 5 D: the event is a JSON object").gives(400),
		"an event over 1 MB":                           call("work/step", `{"a":"`+strings.Repeat("x", 1<<20)+`"}`).because(limit).gives(413),
		"a function that is not there":                 call("work/nobody", `{}`).because(key).refused(404, "The requested resource does not exist."),
		"an activation that has not finished, or none": rule{method: http.MethodGet, path: "activations/0123456789abcdef0123456789abcdef", signed: true}.because("PLATFORM 5 D: 404 until finished").gives(404),
	}
}

// What passes between the platform and a process, seen by the process.
func protocol() map[string]rule {
	const line = "PLATFORM 8 V: one JSON line; the event is in value, the deadline is a string of milliseconds"
	return map[string]rule{
		"a process reads the event in value":           post("web/answer?line", asText, "hello").because(line).gives(200).saying(event{"value.http.body": "hello", "namespace": "local", "action_name": "/local/web/answer", "action_version": "0.0.1"}),
		"a process learns where the platform is":       get("web/answer?line").because(line).gives(200).saying(event{"api_host": contains("http://127.0.0.1:")}),
		"a process gets no key unless it is annotated": get("web/answer?line").because("PLATFORM 5 V: only with provide-api-key: true").gives(200).saying(event{"api_key": nil}),
		"a process gets the key when it is annotated":  call("work/step?blocking=true&result=true", `{"do":"env"}`).because("PLATFORM 5 V: only with provide-api-key: true").gives(200).saying(event{"env": contains("__OW_API_KEY=" + accessKey)}),
		"a line break in an event stays one line":      post("web/form?_=1", asJSON, "{\"a\":\n{\"b\":\n1}}").because("PLATFORM 8 V: the proxy strips newlines").shows(event{"a.b": 1}),
		"a process is told to acknowledge":             call("work/step?blocking=true&result=true", `{"do":"env"}`).because("PLATFORM 8 V: __OW_WAIT_FOR_ACK=1 is set").gives(200).saying(event{"env": contains("__OW_WAIT_FOR_ACK=1")}),
		"a process without end marks still answers":    post("web/answer?unmarked", asText, `{"body":"x"}`).because("PLATFORM 2 G: without log forwarding a missing end mark only degrades the logs").gives(200).text(htmlType, "x"),
	}
}
