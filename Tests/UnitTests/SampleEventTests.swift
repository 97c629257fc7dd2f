// Sample events: each is whole, obeys its options, and has the shape that AWS sends.
import MartletCore
import MartletWire
import Testing

@testable import MartletServer

@Suite struct SampleEventTests {
  private static let moment = Timestamp(milliseconds: 1_800_000_000_123)
  private static let names = SampleEvent.all.map { "\($0.source) \($0.type)" }

  private func make(_ source: String, _ type: String, _ chosen: [String: String] = [:]) throws -> JSONValue {
    try #require(SampleEvent.find(source, type)).make(chosen, at: SampleEventTests.moment, RealWorld())
  }

  private func texts(_ value: JSONValue) -> [String] {
    switch value {
    case .string(let text): [text]
    case .array(let elements): elements.flatMap(texts)
    case .object(let members): members.flatMap { [$0.name] + texts($0.value) }
    default: []
    }
  }

  @Test func thereAreMany() {
    #expect(SampleEvent.all.count >= 50)
    #expect(Set(SampleEventTests.names).count == SampleEvent.all.count, "no two have one name")
    #expect(SampleEventTests.names == SampleEventTests.names.sorted())
  }

  @Test(arguments: SampleEvent.all) func eachIsWholeAndObeysItsOptions(event: SampleEvent) throws {
    let usual = try event.make(at: SampleEventTests.moment, RealWorld())
    for text in texts(usual) { #expect(!text.contains("{{") && !text.contains("}}"), "\(event.type): \(text)") }
    #expect(event.fields.allSatisfy { $0.help.hasSuffix(".") && !$0.name.contains(" ") } && event.abstract.count < 90)
    for field in event.fields + SampleEvent.common where field.name != "time" {
      var value = "zz9"
      if event.template.contains("{{\(field.name)|json") { value = #"{"zz9":"zz9"}"# }
      if event.template.contains("{{\(field.name)|number}}") { value = "990099" }
      if event.template.contains("{{\(field.name)|query") { value = "zz9=1" }
      let changed = try event.make([field.name: value], at: SampleEventTests.moment, RealWorld())
      let isVisible =
        texts(changed).contains { $0.contains("zz9") || $0.contains(Base64.encode(Array("zz9".utf8))) }
        || changed.text.contains("990099") || changed.text.contains(Base64.encode(Array("zz9".utf8)))
        || (field.name == "data" || event.template.contains("|gzip}}")) && changed != usual
      // Some events do not say where they come from.
      let isCommon = SampleEvent.common.contains(field)
      #expect(isVisible || isCommon, "\(event.source) \(event.type) --\(field.name)")
    }
  }

  @Test func optionsThatItDoesNotHaveAreRefused() throws {
    let flaw = #expect(throws: SampleFlaw.self) { try make("s3", "put", ["queue": "q"]) }
    #expect(flaw?.description.hasPrefix("s3 put has no --queue; it has --bucket, --key") == true)
    #expect(throws: SampleFlaw.self) { try make("s3", "put", ["size": "large"]) }
    #expect(throws: SampleFlaw.self) { try make("eventbridge", "event", ["detail": "{"]) }
    #expect(SampleEvent.find("s3", "nonsense") == nil)
  }

  @Test func bucketsTellWhatAWSTells() throws {
    let json = try make("s3", "put", ["bucket": "b", "key": "a b/é.txt", "size": "5", "region": "eu-west-1"])
    let record = try #require(json["Records"]?.array?.first)
    #expect(record["eventName"]?.string == "ObjectCreated:Put" && record["awsRegion"]?.string == "eu-west-1")
    #expect(record["eventTime"]?.string == "2027-01-15T08:00:00.123Z" && record["eventVersion"]?.string == "2.1")
    #expect(record["s3"]?["bucket"]?["arn"]?.string == "arn:aws:s3:::b")
    #expect(
      record["s3"]?["object"]?["key"]?.string == "a+b/%C3%A9.txt" && record["s3"]?["object"]?["size"] == .integer(5))
    let deleted = try make("s3", "delete")["Records"]?.array?.first
    #expect(deleted?["s3"]?["object"]?["size"] == nil && deleted?["eventName"]?.string == "ObjectRemoved:Delete")
  }

  @Test func queuesAndTopics() throws {
    let message = try #require(try make("sqs", "message", ["body": "hello", "queue": "q"])["Records"]?.array?.first)
    #expect(message["md5OfBody"]?.string == "5d41402abc4b2a76b9719d911017c592")
    #expect(message["eventSourceARN"]?.string == "arn:aws:sqs:us-east-1:000000000000:q")
    #expect(message["attributes"]?["SentTimestamp"]?.string == "1800000000123")
    let sns = try #require(try make("sns", "notification")["Records"]?.array?.first)
    #expect(sns["Sns"]?["Subject"] == .null && sns["EventSource"]?.string == "aws:sns")
    let kinesis = try #require(try make("kinesis", "record", ["data": "hi"])["Records"]?.array?.first)
    #expect(kinesis["kinesis"]?["data"]?.string == "aGk=")
    #expect(kinesis["kinesis"]?["approximateArrivalTimestamp"]?.number == 1_800_000_000.123)
    #expect(kinesis["kinesis"]?["sequenceNumber"]?.string?.count == 56)
  }

  @Test func requests() throws {
    let rest = try make("apigateway", "rest", ["path": "/a/b", "query": "", "headers": #"{"X-Own":"1"}"#])
    #expect(rest["queryStringParameters"] == .null && rest["multiValueQueryStringParameters"] == .null)
    #expect(rest["body"] == .null && rest["pathParameters"]?["proxy"]?.string == "a/b")
    #expect(rest["headers"]?["X-Own"]?.string == "1" && rest["multiValueHeaders"]?["X-Own"]?.text == #"["1"]"#)
    let http = try make("apigateway", "http", ["query": "a=1&b=x%20y", "method": "POST", "body": "text"])
    #expect(http["rawQueryString"]?.string == "a=1&b=x%20y" && http["queryStringParameters"]?["b"]?.string == "x y")
    #expect(http["routeKey"]?.string == "POST /hello" && http["rawPath"]?.string == "/prod/hello")
    #expect(http["body"]?.string == "text" && http["requestContext"]?["timeEpoch"] == .integer(1_800_000_000_123))
    let url = try make("url", "request", ["query": ""])
    #expect(url["body"] == nil && url["queryStringParameters"] == nil && url["rawPath"]?.string == "/hello")
    let balanced = try make("alb", "multi-value", ["query": "a=1"])
    #expect(balanced["multiValueQueryStringParameters"]?.text == #"{"a":["1"]}"# && balanced["headers"] == nil)
  }

  @Test func schedules() throws {
    #expect(
      try make("eventbridge", "scheduled", ["rule": "r"]).members?.map(\.name) == [
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
      ])
    #expect(try make("eventbridge", "scheduled")["time"]?.string == "2027-01-15T08:00:00Z")
    #expect(try make("scheduler", "schedule")["detail"]?.string == "{}")
    #expect(try make("eventbridge", "event", ["detail": #"{"x":[1]}"#])["detail"]?.text == #"{"x":[1]}"#)
  }
}
