// The samples of `martlet event`, by source: shapes as AWS documents and sends them, texts of our own.

extension SampleEvent {
  package static let all = (queues + streams + storage + web + buses + identity + tools).sorted {
    ($0.source, $0.type) < ($1.source, $1.type)
  }

  /// A function, where an event names one.
  static let function = Field("function", "my-function", "Name of the function.")
}

extension SampleEvent {
  static let buses = [
    SampleEvent(
      "eventbridge", "event", "An event of your own, as a rule passes it on.",
      [
        Field("source", "my.application", "Source of the event."),
        Field("detail-type", "Order Placed", "What kind of event it is."),
        Field("detail", #"{"orderId":"1234","total":99.5}"#, "The detail, a JSON object."),
      ],
      #"""
      {"version":"0","id":"{{uuid}}","detail-type":"{{detail-type}}","source":"{{source}}","account":"{{account}}",
       "time":"{{now-seconds}}","region":"{{region}}","resources":[],"detail":"{{detail|json}}"}
      """#),
    SampleEvent(
      "eventbridge", "scheduled", "A rule with a schedule expression.",
      [Field("rule", "my-schedule", "Name of the rule.")],
      #"""
      {"version":"0","id":"{{uuid}}","detail-type":"Scheduled Event","source":"aws.events","account":"{{account}}",
       "time":"{{now-seconds}}","region":"{{region}}",
       "resources":["arn:aws:events:{{region}}:{{account}}:rule/{{rule}}"],"detail":{}}
      """#),
    SampleEvent(
      "eventbridge", "s3-object-created", "S3 tells a bus of a new object.",
      bucketFields + [Field("size", "1024", "Bytes.")],
      #"""
      {"version":"0","id":"{{uuid}}","detail-type":"Object Created","source":"aws.s3","account":"{{account}}",
       "time":"{{now-seconds}}","region":"{{region}}","resources":["arn:aws:s3:::{{bucket}}"],
       "detail":{"version":"0","bucket":{"name":"{{bucket}}"},
        "object":{"key":"{{key}}","size":"{{size|number}}","etag":"{{hex32}}","sequencer":"{{HEX18}}"},
        "request-id":"{{HEX16}}","requester":"{{account}}","source-ip-address":"203.0.113.7","reason":"PutObject"}}
      """#),
    SampleEvent(
      "eventbridge", "ec2-state-change", "An instance has changed its state.",
      [Field("state", "terminated", "The new state."), Field("instance", "i-{{hex17}}", "Id of the instance.")],
      #"""
      {"version":"0","id":"{{uuid}}","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",
       "account":"{{account}}","time":"{{now-seconds}}","region":"{{region}}",
       "resources":["arn:aws:ec2:{{region}}:{{account}}:instance/{{instance}}"],
       "detail":{"instance-id":"{{instance}}","state":"{{state}}"}}
      """#),
    SampleEvent(
      "scheduler", "schedule", "A schedule of EventBridge Scheduler without an input of its own.",
      [
        Field("schedule", "my-schedule", "Name of the schedule."),
        Field("group", "default", "Name of its group."),
      ],
      #"""
      {"version":"0","id":"{{uuid}}","detail-type":"Scheduled Event","source":"aws.scheduler",
       "account":"{{account}}","time":"{{now-seconds}}","region":"{{region}}",
       "resources":["arn:aws:scheduler:{{region}}:{{account}}:schedule/{{group}}/{{schedule}}"],"detail":"{}"}
      """#),
  ]
}

extension SampleEvent {
  static let tools = [
    custom("create", "A stack with a custom resource is created.", "", #""{{properties|json}}""#),
    custom(
      "update", "A custom resource of a stack is changed.",
      #""PhysicalResourceId":"my-resource-{{hex8}}","OldResourceProperties":"{{properties|json}}","#,
      #""{{properties|json}}""#),
    custom(
      "delete", "A stack with a custom resource is deleted.", #""PhysicalResourceId":"my-resource-{{hex8}}","#,
      #""{{properties|json}}""#),
    SampleEvent(
      "codepipeline", "job", "An Invoke action of a pipeline.",
      [function, Field("parameters", "production", "UserParameters of the action.")],
      #"""
      {"CodePipeline.job":{"id":"{{uuid}}","accountId":"{{account}}","data":{
       "actionConfiguration":{"configuration":{"FunctionName":"{{function}}","UserParameters":"{{parameters}}"}},
       "inputArtifacts":[{"name":"SourceArtifact","revision":null,"location":{"type":"S3",
        "s3Location":{"bucketName":"my-pipeline-artifacts","objectKey":"my-pipeline/SourceArti/{{letters7}}.zip"}}}],
       "outputArtifacts":[],
       "artifactCredentials":{"accessKeyId":"ASIA{{HEX16}}","secretAccessKey":"{{hex40}}","sessionToken":"{{hex64}}"},
       "continuationToken":"{{uuid}}"}}}
      """#),
    SampleEvent(
      "config", "change", "A rule of AWS Config whose resource has changed.",
      [Field("rule", "my-rule", "Name of the rule."), Field("parameters", "{}", "Parameters of the rule, JSON.")],
      #"""
      {"version":"1.0","invokingEvent":"{\"configurationItem\":{\"configurationItemCaptureTime\":\"{{now}}\",\"awsAccountId\":\"{{account}}\",\"configurationItemStatus\":\"OK\",\"resourceId\":\"i-{{hex17}}\",\"resourceType\":\"AWS::EC2::Instance\",\"awsRegion\":\"{{region}}\",\"tags\":{},\"relationships\":[]},\"messageType\":\"ConfigurationItemChangeNotification\"}",
       "ruleParameters":"{{parameters}}","resultToken":"{{hex64}}","eventLeftScope":false,
       "executionRoleArn":"arn:aws:iam::{{account}}:role/my-config-role",
       "configRuleArn":"arn:aws:config:{{region}}:{{account}}:config-rule/config-rule-{{letters6}}",
       "configRuleName":"{{rule}}","configRuleId":"config-rule-{{letters6}}","accountId":"{{account}}"}
      """#),
    SampleEvent(
      "secretsmanager", "rotate", "One step of the rotation of a secret.",
      [
        Field("step", "createSecret", "createSecret, setSecret, testSecret or finishSecret."),
        Field("secret", "my-secret", "Name of the secret."),
      ],
      #"""
      {"Step":"{{step}}","SecretId":"arn:aws:secretsmanager:{{region}}:{{account}}:secret:{{secret}}-{{letters6}}",
       "ClientRequestToken":"{{uuid}}"}
      """#),
    SampleEvent(
      "cloudwatch", "logs", "Lines of a log group, passed on by a subscription filter.",
      [
        Field("log-group", "/aws/lambda/my-function", "Name of the log group."),
        Field("log-stream", "{{now-date}}/[$LATEST]{{hex32}}", "Name of the log stream."),
        Field("filter", "my-filter", "Name of the subscription filter."),
        Field("message", "something was logged", "The line."),
        Field(
          "data",
          #"{"messageType":"DATA_MESSAGE","owner":"{{account}}","logGroup":"{{log-group}}","logStream":"{{log-stream}}","subscriptionFilters":["{{filter}}"],"logEvents":[{"id":"{{digits56}}","timestamp":{{now-milliseconds}},"message":"{{message|escaped}}"}]}"#,
          "All of it, before it is compressed."),
      ],
      #"{"awslogs":{"data":"{{data|gzip}}"}}"#),
    SampleEvent(
      "cloudwatch", "alarm", "An alarm has changed its state, with a function as its action.",
      [
        Field("alarm", "my-alarm", "Name of the alarm."), Field("state", "ALARM", "ALARM, OK or INSUFFICIENT_DATA."),
        function,
      ],
      #"""
      {"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:{{region}}:{{account}}:alarm:{{alarm}}",
       "accountId":"{{account}}","time":"{{now}}","region":"{{region}}","alarmData":{"alarmName":"{{alarm}}",
       "state":{"value":"{{state}}","reason":"Threshold Crossed: 1 datapoint was greater than the threshold.",
        "reasonData":"{\"version\":\"1.0\",\"statistic\":\"Sum\",\"period\":60,\"recentDatapoints\":[5.0],\"threshold\":1.0}",
        "timestamp":"{{now}}"},
       "previousState":{"value":"OK","reason":"no datapoints were received","timestamp":"{{now}}"},
       "configuration":{"description":"Errors of my function","metrics":[{"id":"m1","returnData":true,
        "metricStat":{"metric":{"namespace":"AWS/Lambda","name":"Errors","dimensions":{"FunctionName":"{{function}}"}},
        "period":60,"stat":"Sum"}}]}}}
      """#),
    record(
      "success",
      #""Success","approximateInvokeCount":1},"requestPayload":"{{request|json}}","responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":"{{response|json}}""#,
      #"{"done":true}"#),
    record(
      "failure",
      #""RetriesExhausted","approximateInvokeCount":3},"requestPayload":"{{request|json}}","responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":"{{response|json}}""#,
      #"{"errorMessage":"it did not work","errorType":"ValueError"}"#),
  ]

  /// A custom resource of CloudFormation.
  private static func custom(_ type: String, _ abstract: String, _ more: String, _ properties: String) -> SampleEvent {
    SampleEvent(
      "cloudformation", type, abstract,
      [
        function, Field("stack", "my-stack", "Name of the stack."),
        Field("resource", "MyResource", "Its logical name in the template."),
        Field("properties", #"{"Size":"10"}"#, "ResourceProperties, a JSON object."),
        Field("response-url", "http://127.0.0.1:4566/my-bucket/response", "Where the answer is to be PUT."),
      ],
      #"{"RequestType":"\#(type.prefix(1).uppercased() + type.dropFirst())","ResponseURL":"{{response-url}}",\#(more)"#
        + #""StackId":"arn:aws:cloudformation:{{region}}:{{account}}:stack/{{stack}}/{{uuid}}","#
        + #""RequestId":"{{uuid}}","ResourceType":"Custom::{{resource}}","LogicalResourceId":"{{resource}}","#
        + #""ServiceToken":"arn:aws:lambda:{{region}}:{{account}}:function:{{function}}","#
        + #""ResourceProperties":\#(properties)}"#)
  }

  /// What a destination of asynchronous invocation gets.
  private static func record(_ type: String, _ outcome: String, _ response: String) -> SampleEvent {
    SampleEvent(
      "lambda", type, "The record of an asynchronous invocation, for its destination.",
      [
        function, Field("request", #"{"key":"value"}"#, "The event, JSON."),
        Field("response", response, "What the function answered, JSON."),
      ],
      #"{"version":"1.0","timestamp":"{{now}}","requestContext":{"requestId":"{{uuid}}","#
        + #""functionArn":"arn:aws:lambda:{{region}}:{{account}}:function:{{function}}:$LATEST","condition":\#(outcome)}"#
    )
  }
}
