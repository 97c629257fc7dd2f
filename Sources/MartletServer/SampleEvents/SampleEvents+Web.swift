// Samples: requests, as gateways, load balancers and function URLs pass them on, and the questions of authorizers.

extension SampleEvent {
  private static let request = [
    Field("method", "GET", "Method."), Field("path", "/hello", "Path."),
    Field("query", "name=me", "Query, such as a=1&b=2; empty for none."),
    Field("body", "", "Body (default: none)."),
    Field("headers", "{}", "Further headers, a JSON object of texts."),
  ]
  private static let api = [
    Field("stage", "prod", "Stage."), Field("api", "{{letters10}}", "Id of the API."),
  ]

  /// Of payload format 2.0; `$default` is the stage of function URLs.
  private static func version2(_ domain: String, stage: String, route: String, path: String) -> String {
    #"{"version":"2.0","routeKey":"\#(route)","rawPath":"\#(path)","rawQueryString":"{{query}}","#
      + #""headers":{"accept":"*/*","host":"\#(domain)","user-agent":"curl/8.5.0","#
      + #""x-amzn-trace-id":"Root=1-{{hex8}}-{{hex24}}","x-forwarded-for":"203.0.113.7","#
      + #""x-forwarded-port":"443","x-forwarded-proto":"https","+":"{{headers|json}}"},"#
      + #""queryStringParameters":"{{query|query|absent}}","#
      + #""requestContext":{"accountId":"{{account}}","apiId":"{{api}}","domainName":"\#(domain)","#
      + #""domainPrefix":"{{api}}","http":{"method":"{{method}}","path":"\#(path)","protocol":"HTTP/1.1","#
      + #""sourceIp":"203.0.113.7","userAgent":"curl/8.5.0"},"requestId":"{{uuid}}","routeKey":"\#(route)","#
      + #""stage":"\#(stage)","time":"{{now-log}}","timeEpoch":"{{now-milliseconds|number}}"},"#
      + #""body":"{{body|absent}}","isBase64Encoded":false}"#
  }

  private static let identity1 =
    #""identity":{"cognitoIdentityPoolId":null,"accountId":null,"cognitoIdentityId":null,"caller":null,"sourceIp":"203.0.113.7","principalOrgId":null,"accessKey":null,"cognitoAuthenticationType":null,"cognitoAuthenticationProvider":null,"userArn":null,"userAgent":"curl/8.5.0","user":null}"#

  /// Of REST APIs: payload format 1.0, whose missing maps are null.
  private static let version1 =
    #"{"resource":"/{proxy+}","path":"{{path}}","httpMethod":"{{method}}","#
    + #""headers":{"Accept":"*/*","Host":"{{api}}.execute-api.{{region}}.amazonaws.com","User-Agent":"curl/8.5.0","#
    + #""X-Amzn-Trace-Id":"Root=1-{{hex8}}-{{hex24}}","X-Forwarded-For":"203.0.113.7","X-Forwarded-Port":"443","#
    + #""X-Forwarded-Proto":"https","+":"{{headers|json}}"},"#
    + #""multiValueHeaders":{"Accept":["*/*"],"Host":["{{api}}.execute-api.{{region}}.amazonaws.com"],"#
    + #""User-Agent":["curl/8.5.0"],"X-Forwarded-For":["203.0.113.7"],"X-Forwarded-Port":["443"],"#
    + #""X-Forwarded-Proto":["https"],"+":"{{headers|json|lists}}"},"queryStringParameters":"{{query|query}}","#
    + #""multiValueQueryStringParameters":"{{query|query|lists}}","#
    + #""pathParameters":{"proxy":"{{path|relative}}"},"stageVariables":null,"#
    + #""requestContext":{"resourceId":"{{letters6}}","resourcePath":"/{proxy+}","httpMethod":"{{method}}","#
    + #""extendedRequestId":"{{letters15}}=","requestTime":"{{now-log}}","path":"/{{stage}}{{path}}","#
    + #""accountId":"{{account}}","protocol":"HTTP/1.1","stage":"{{stage}}","domainPrefix":"{{api}}","#
    + #""requestTimeEpoch":"{{now-milliseconds|number}}","requestId":"{{uuid}}",\#(identity1),"#
    + #""domainName":"{{api}}.execute-api.{{region}}.amazonaws.com","deploymentId":"{{letters6}}","apiId":"{{api}}"},"#
    + #""body":"{{body|optional}}","isBase64Encoded":false}"#

  static let web = [
    SampleEvent(
      "url", "request", "A request to a function URL, payload format 2.0.",
      request + [Field("api", "{{letters32}}", "Id of the URL.")],
      version2("{{api}}.lambda-url.{{region}}.on.aws", stage: "$default", route: "$default", path: "{{path}}")),
    SampleEvent(
      "apigateway", "http", "A request to an HTTP API, payload format 2.0.", request + api,
      version2(
        "{{api}}.execute-api.{{region}}.amazonaws.com", stage: "{{stage}}", route: "{{method}} {{path}}",
        path: "/{{stage}}{{path}}")),
    SampleEvent("apigateway", "rest", "A request to a REST API with proxy integration (1.0).", request + api, version1),
    SampleEvent(
      "apigateway", "websocket", "A message, connection or disconnection of a WebSocket API.",
      api + [
        Field("event", "MESSAGE", "CONNECT, MESSAGE or DISCONNECT."),
        Field("route", "$default", "Route key, such as $connect."),
        Field("body", #"{"action":"hello"}"#, "The message."),
        Field("connection", "{{letters15}}=", "Id of the connection."),
      ],
      #"""
      {"requestContext":{"routeKey":"{{route}}","messageId":"{{letters15}}=","eventType":"{{event}}",
       "extendedRequestId":"{{letters15}}=","requestTime":"{{now-log}}","messageDirection":"IN","stage":"{{stage}}",
       "connectedAt":"{{now-milliseconds|number}}","requestTimeEpoch":"{{now-milliseconds|number}}",
       "identity":{"sourceIp":"203.0.113.7"},"requestId":"{{letters15}}=",
       "domainName":"{{api}}.execute-api.{{region}}.amazonaws.com","connectionId":"{{connection}}","apiId":"{{api}}"},
       "body":"{{body}}","isBase64Encoded":false}
      """#),
    SampleEvent(
      "apigateway", "authorizer-token", "A REST API asks about the token of a request.",
      api + [
        Field("token", "Bearer abc", "The token."), Field("method", "GET", "Method."), Field("path", "/hello", "Path."),
      ],
      #"""
      {"type":"TOKEN","authorizationToken":"{{token}}",
       "methodArn":"arn:aws:execute-api:{{region}}:{{account}}:{{api}}/{{stage}}/{{method}}{{path}}"}
      """#),
    SampleEvent(
      "apigateway", "authorizer-request", "A REST API asks about a request.",
      api + [
        Field("method", "GET", "Method."), Field("path", "/hello", "Path."),
        Field("query", "name=me", "Query; empty for none."), Field("headers", #"{"x-token":"abc"}"#, "Headers, JSON."),
      ],
      #"""
      {"type":"REQUEST","methodArn":"arn:aws:execute-api:{{region}}:{{account}}:{{api}}/{{stage}}/{{method}}{{path}}",
       "resource":"{{path}}","path":"{{path}}","httpMethod":"{{method}}","headers":"{{headers|json}}",
       "multiValueHeaders":"{{headers|json|lists}}","queryStringParameters":"{{query|query|object}}",
       "multiValueQueryStringParameters":"{{query|query|object|lists}}","pathParameters":{},"stageVariables":{},
       "requestContext":{"path":"/{{stage}}{{path}}","accountId":"{{account}}","resourceId":"{{letters6}}",
        "stage":"{{stage}}","requestId":"{{uuid}}","identity":{"sourceIp":"203.0.113.7"},"resourcePath":"{{path}}",
        "httpMethod":"{{method}}","apiId":"{{api}}"}}
      """#),
    SampleEvent(
      "apigateway", "authorizer-http", "An HTTP API asks about a request, payload format 2.0.",
      api + [
        Field("token", "Bearer abc", "The header Authorization."), Field("method", "GET", "Method."),
        Field("path", "/hello", "Path."), Field("query", "name=me", "Query; empty for none."),
      ],
      #"""
      {"version":"2.0","type":"REQUEST",
       "routeArn":"arn:aws:execute-api:{{region}}:{{account}}:{{api}}/{{stage}}/{{method}}{{path}}",
       "identitySource":["{{token}}"],"routeKey":"{{method}} {{path}}","rawPath":"/{{stage}}{{path}}",
       "rawQueryString":"{{query}}","headers":{"authorization":"{{token}}"},
       "queryStringParameters":"{{query|query|object}}",
       "requestContext":{"accountId":"{{account}}","apiId":"{{api}}",
        "domainName":"{{api}}.execute-api.{{region}}.amazonaws.com","domainPrefix":"{{api}}",
        "http":{"method":"{{method}}","path":"/{{stage}}{{path}}","protocol":"HTTP/1.1","sourceIp":"203.0.113.7",
         "userAgent":"curl/8.5.0"},
        "requestId":"{{letters15}}=","routeKey":"{{method}} {{path}}","stage":"{{stage}}","time":"{{now-log}}",
        "timeEpoch":"{{now-milliseconds|number}}"}}
      """#),
    SampleEvent(
      "alb", "request", "A request to an Application Load Balancer.",
      request + [Field("target-group", "my-targets", "Name of the target group.")],
      #"""
      {"requestContext":{"elb":{"targetGroupArn":"arn:aws:elasticloadbalancing:{{region}}:{{account}}:targetgroup/{{target-group}}/{{hex16}}"}},
       "httpMethod":"{{method}}","path":"{{path}}","queryStringParameters":"{{query|query|object}}",
       "headers":{"accept":"*/*","host":"my-balancer-{{digits9}}.{{region}}.elb.amazonaws.com",
        "user-agent":"curl/8.5.0","x-amzn-trace-id":"Root=1-{{hex8}}-{{hex24}}","x-forwarded-for":"203.0.113.7",
        "x-forwarded-port":"80","x-forwarded-proto":"http","+":"{{headers|json}}"},"body":"{{body}}","isBase64Encoded":false}
      """#),
    SampleEvent(
      "alb", "multi-value", "The same, of a target group with multi value headers.",
      request + [Field("target-group", "my-targets", "Name of the target group.")],
      #"""
      {"requestContext":{"elb":{"targetGroupArn":"arn:aws:elasticloadbalancing:{{region}}:{{account}}:targetgroup/{{target-group}}/{{hex16}}"}},
       "httpMethod":"{{method}}","path":"{{path}}","multiValueQueryStringParameters":"{{query|query|object|lists}}",
       "multiValueHeaders":{"accept":["*/*"],"host":["my-balancer-{{digits9}}.{{region}}.elb.amazonaws.com"],
        "user-agent":["curl/8.5.0"],"x-forwarded-for":["203.0.113.7"],"x-forwarded-port":["80"],
        "x-forwarded-proto":["http"],"+":"{{headers|json|lists}}"},"body":"{{body}}","isBase64Encoded":false}
      """#),
  ]
}
