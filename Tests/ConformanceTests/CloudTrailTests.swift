// The audit: what is written down of calls, how it is found again, and how it gets into buckets.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import MartletCloud

@Suite struct CloudTrailTests {
  static let trust =
    "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D"

  static let makeRole =
    "Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=\(trust)&Tags.member.1.Key=Team&Tags.member.1.Value=a"

  /// LookupEvents itself is an event too.
  func others(_ fixture: AuditFixture, _ body: String = "{}") async throws -> [(event: JSONValue, record: JSONValue)] {
    try await fixture.lookup(body).filter { $0.event["EventName"]?.string != "LookupEvents" }
  }

  @Test func aCallIsWrittenDownInCloudTrailsForm() async throws {
    let fixture = try await AuditFixture()
    #expect(await fixture.iam(CloudTrailTests.makeRole).status == 200)
    let found = try await others(fixture)
    #expect(found.count == 1)
    let (event, record) = try #require(found.first)
    #expect(event["EventName"]?.string == "CreateRole" && event["EventSource"]?.string == "iam.amazonaws.com")
    #expect(event["ReadOnly"]?.string == "false" && event["Username"]?.string == "root")
    #expect(event["AccessKeyId"]?.string == "AKIATEST" && event["EventTime"]?.number == 1_800_000_000)
    #expect(
      event["Resources"]?.text
        == #"[{"ResourceType":"AWS::IAM::Role","ResourceName":"r"},{"ResourceType":"AWS::IAM::Role","ResourceName":"arn:aws:iam::111111111111:role/r"}]"#
    )
    #expect(
      record.members?.map(\.name) == [
        "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
        "userAgent", "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType",
        "managementEvent", "recipientAccountId", "eventCategory", "tlsDetails",
      ])
    #expect(record["eventTime"]?.string == "2027-01-15T08:00:00Z" && record["userAgent"]?.string == "test/1")
    #expect(record["sourceIPAddress"]?.string == "127.0.0.1" && record["awsRegion"]?.string == "us-east-1")
    #expect(record["eventID"] == event["EventId"] && record["eventCategory"]?.string == "Management")
    #expect(
      record["userIdentity"]?.text
        == #"{"type":"Root","principalId":"111111111111","arn":"arn:aws:iam::111111111111:root","accountId":"111111111111","accessKeyId":"AKIATEST"}"#
    )
    #expect(record["requestParameters"]?["roleName"]?.string == "r")
    #expect(record["requestParameters"]?["tags"]?.text == #"[{"key":"Team","value":"a"}]"#)
    #expect(record["requestParameters"]?["action"] == nil && record["requestParameters"]?["version"] == nil)
    #expect(record["responseElements"]?["role"]?["arn"]?.string == "arn:aws:iam::111111111111:role/r")
  }

  @Test func refusalsAndReadingAreWrittenDownToo() async throws {
    let fixture = try await AuditFixture()
    await fixture.iam("Action=GetRole&RoleName=none")
    await fixture.iam(CloudTrailTests.makeRole)
    await fixture.iam("Action=GetRole&RoleName=r")
    let found = try await others(fixture)
    #expect(found.map { $0.event["EventName"]?.string } == ["GetRole", "CreateRole", "GetRole"])
    let (read, refused) = (found[0].record, found[2].record)
    #expect(read["responseElements"] == .null && read["readOnly"]?.bool == true && read["errorCode"] == nil)
    #expect(refused["errorCode"]?.string == "NoSuchEntity" && refused["responseElements"] == .null)
    #expect(refused["errorMessage"]?.string == "The role with name none cannot be found.")
  }

  @Test func eventsAreFoundByWhatTheyAre() async throws {
    let fixture = try await AuditFixture()
    await fixture.iam(CloudTrailTests.makeRole)
    await fixture.iam("Action=CreateUser&UserName=u")
    await fixture.iam("Action=GetUser&UserName=u")
    let id = try await others(fixture)[0].event["EventId"]?.string ?? ""
    for (key, value, wanted) in [
      ("EventName", "CreateUser", ["CreateUser"]), ("ReadOnly", "true", ["GetUser"]),
      ("ResourceName", "u", ["GetUser", "CreateUser"]), ("ResourceType", "AWS::IAM::Role", ["CreateRole"]),
      ("EventSource", "iam.amazonaws.com", ["GetUser", "CreateUser", "CreateRole"]), ("EventId", id, ["GetUser"]),
      ("Username", "nobody", []), ("AccessKeyId", "AKIATEST", ["GetUser", "CreateUser", "CreateRole"]),
    ] {
      let body = #"{"LookupAttributes":[{"AttributeKey":"\#(key)","AttributeValue":"\#(value)"}]}"#
      let names = try await others(fixture, body).compactMap { $0.event["EventName"]?.string }
      #expect(names == wanted, "\(key) \(value)")
    }
    let two = #"{"AttributeKey":"EventName","AttributeValue":"a"}"#
    #expect(
      try await fixture.call("LookupEvents", "{\"LookupAttributes\":[\(two),\(two)]}").code
        == "InvalidLookupAttributesException")
    #expect(try await fixture.call("LookupEvents", #"{"StartTime":2,"EndTime":1}"#).code == "InvalidTimeRangeException")
    #expect(try await fixture.call("LookupEvents", #"{"NextToken":"x"}"#).code == "InvalidNextTokenException")
    #expect(try await fixture.lookup(#"{"EventCategory":"insight"}"#).isEmpty)
  }

  @Test func pagesShowEveryEventOnce() async throws {
    let fixture = try await AuditFixture()
    for i in 0..<7 { await fixture.iam("Action=GetUser&UserName=u\(i)") }
    var (seen, token): ([String], String?) = ([], nil)
    repeat {
      let filter = #""LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"GetUser"}],"MaxResults":3"#
      let body = try await fixture.done("LookupEvents", "{\(filter)\(token.map { #","NextToken":"\#($0)""# } ?? "")}")
      let events = body["Events"]?.array ?? []
      #expect(events.count <= 3)
      seen += events.compactMap { $0["EventId"]?.string }
      token = body["NextToken"]?.string
    } while token != nil
    #expect(seen.count == 7 && Set(seen).count == 7)
  }

  @Test func eventsOfOtherRegionsAndTimesAreElsewhere() async throws {
    let fixture = try await AuditFixture()
    await fixture.iam("Action=GetUser&UserName=u")
    #expect(try await fixture.lookup(region: "eu-west-1").isEmpty)
    #expect(try await others(fixture, #"{"StartTime":1800000001}"#).isEmpty)
    #expect(try await others(fixture, #"{"EndTime":1799999999}"#).isEmpty)
    #expect(try await others(fixture, #"{"StartTime":1800000000,"EndTime":1800000000}"#).count == 1)
    await fixture.advance(91 * 86400)
    #expect(try await others(fixture).isEmpty)
  }

  @Test func eventsSurviveTheServer() async throws {
    let first = try await AuditFixture(isKept: true)
    await first.iam("Action=CreateUser&UserName=u")
    try await first.done("CreateTrail", #"{"Name":"trail","S3BucketName":"logs"}"#)
    try await first.done("StartLogging", #"{"Name":"trail"}"#)
    await first.iam("Action=DeleteUser&UserName=u")
    await first.close()
    let second = try await AuditFixture(in: first.directory)
    let names = try await second.lookup().compactMap { $0.event["EventName"]?.string }
    #expect(names.filter { $0.hasSuffix("User") } == ["DeleteUser", "CreateUser"])
    // What was owed is delivered by who comes after.
    await second.advance(1)
    #expect(try second.delivered().contains { $0["eventName"]?.string == "DeleteUser" })
  }

  @Test func theOldestGoWhenThereIsTooMuch() async throws {
    var limits = CloudTrailService.Limits()
    limits.storage = .kibibytes(20)
    let fixture = try await AuditFixture(limits: limits)
    for i in 0..<100 {
      await fixture.iam("Action=GetUser&UserName=u\(i)")
      if i % 20 == 0 { await fixture.service.settle() }
    }
    let names = try await others(fixture).compactMap { $0.record["requestParameters"]?["userName"]?.string }
    #expect(names.first == "u99")
    _ = try await fixture.lookup()
    #expect(try fixture.service.store.size() < 100 * 1000)
  }

  // MARK: - Trails

  @Test func aTrailDeliversToItsBucket() async throws {
    let fixture = try await AuditFixture()
    let made = try await fixture.done(
      "CreateTrail", #"{"Name":"trail","S3BucketName":"logs","S3KeyPrefix":"p","TagsList":[{"Key":"a","Value":"b"}]}"#)
    let arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/trail"
    #expect(made["TrailARN"]?.string == arn)
    await fixture.iam("Action=CreateUser&UserName=before")
    try await fixture.done("StartLogging", #"{"Name":"\#(arn)"}"#)
    await fixture.iam("Action=CreateUser&UserName=during")
    #expect(try fixture.delivered().isEmpty)
    await fixture.advance(301)
    let users = try fixture.delivered().filter { $0["eventName"]?.string == "CreateUser" }
    #expect(users.map { $0["requestParameters"]?["userName"]?.string } == ["during"])
    let key = try #require(fixture.objects.withLock { $0.keys.first })
    let start =
      "logs/p/AWSLogs/111111111111/CloudTrail/us-east-1/2027/01/15/111111111111_CloudTrail_us-east-1_20270115T0805Z_"
    #expect(key.hasPrefix(start) && key.hasSuffix(".json.gz") && key.count == start.count + 16 + 8, "\(key)")
    // Rules hear of what changes something.
    let heard = fixture.events.withLock { $0 }
    #expect(heard.contains { $0.source == "aws.iam" && $0.detailType == "AWS API Call via CloudTrail" })
    let status = try await fixture.done("GetTrailStatus", #"{"Name":"trail"}"#)
    #expect(status["IsLogging"]?.bool == true && status["LatestDeliveryTime"]?.number != nil)
    try await fixture.done("StopLogging", #"{"Name":"trail"}"#)
    await fixture.iam("Action=CreateUser&UserName=after")
    await fixture.advance(301)
    #expect(try !fixture.delivered().contains { $0["requestParameters"]?["userName"]?.string == "after" })
    #expect(try await fixture.done("GetTrailStatus", #"{"Name":"trail"}"#)["StopLoggingTime"]?.number != nil)
    try await fixture.done("DeleteTrail", #"{"Name":"trail"}"#)
    #expect(try await fixture.call("GetTrail", #"{"Name":"trail"}"#).code == "TrailNotFoundException")
  }

  @Test func aBucketThatIsGoneIsTriedAgain() async throws {
    let fixture = try await AuditFixture()
    try await fixture.done("CreateTrail", #"{"Name":"trail","S3BucketName":"logs"}"#)
    try await fixture.done("StartLogging", #"{"Name":"trail"}"#)
    fixture.buckets.withLock { $0 = [] }
    await fixture.iam("Action=CreateUser&UserName=u")
    await fixture.advance(301)
    let status = try await fixture.done("GetTrailStatus", #"{"Name":"trail"}"#)
    #expect(status["LatestDeliveryError"]?.string == "NoSuchBucket" && status["LatestDeliveryTime"] == nil)
    fixture.buckets.withLock { $0 = ["logs"] }
    await fixture.advance(3600)
    #expect(try fixture.delivered().filter { $0["eventName"]?.string == "CreateUser" }.count == 1)
    #expect(try await fixture.done("GetTrailStatus", #"{"Name":"trail"}"#)["LatestDeliveryError"] == nil)
  }

  @Test func trailsAreCheckedAndShown() async throws {
    let fixture = try await AuditFixture()
    for (body, code) in [
      (#"{"Name":"ab","S3BucketName":"logs"}"#, "InvalidTrailNameException"),
      (#"{"Name":"-abc","S3BucketName":"logs"}"#, "InvalidTrailNameException"),
      (#"{"Name":"abc.","S3BucketName":"logs"}"#, "InvalidTrailNameException"),
      (#"{"Name":"a b c","S3BucketName":"logs"}"#, "InvalidTrailNameException"),
      (#"{"Name":"abc","S3BucketName":"none"}"#, "S3BucketDoesNotExistException"),
      (#"{"Name":"abc","S3BucketName":"l"}"#, "InvalidS3BucketNameException"),
      (#"{"Name":"abc","S3BucketName":"logs","S3KeyPrefix":"a/"}"#, "InvalidS3PrefixException"),
      (#"{"Name":"abc","S3BucketName":"logs","SnsTopicName":"t"}"#, "InvalidSnsTopicNameException"),
      (
        #"{"Name":"abc","S3BucketName":"logs","CloudWatchLogsLogGroupArn":"x"}"#, "InvalidParameterCombinationException"
      ),
      (
        #"{"Name":"abc","S3BucketName":"logs","IsMultiRegionTrail":true,"IncludeGlobalServiceEvents":false}"#,
        "InvalidParameterCombinationException"
      ),
    ] {
      let answer = try await fixture.call("CreateTrail", body)
      #expect(answer.code == code, "\(body): \(answer.message)")
    }
    try await fixture.done("CreateTrail", #"{"Name":"abc","S3BucketName":"logs","IsMultiRegionTrail":true}"#)
    #expect(
      try await fixture.call("CreateTrail", #"{"Name":"abc","S3BucketName":"logs"}"#).code
        == "TrailAlreadyExistsException")
    let elsewhere = try await fixture.done("DescribeTrails", region: "eu-west-1")
    #expect(elsewhere["trailList"]?.array?.first?["HomeRegion"]?.string == "us-east-1")
    let none = try await fixture.done("DescribeTrails", #"{"includeShadowTrails":false}"#, region: "eu-west-1")
    #expect(none["trailList"]?.array?.isEmpty == true)
    let arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/abc"
    #expect(
      try await fixture.call("UpdateTrail", #"{"Name":"\#(arn)"}"#, region: "eu-west-1").code
        == "InvalidHomeRegionException")
    let changed = try await fixture.done("UpdateTrail", #"{"Name":"abc","S3KeyPrefix":"x","IsMultiRegionTrail":false}"#)
    #expect(changed["S3KeyPrefix"]?.string == "x" && changed["IsMultiRegionTrail"]?.bool == false)
    #expect(try await fixture.done("ListTrails")["Trails"]?.array?.map { $0["TrailARN"]?.string } == [arn])
    try await fixture.done("AddTags", #"{"ResourceId":"\#(arn)","TagsList":[{"Key":"a","Value":"1"},{"Key":"b"}]}"#)
    try await fixture.done("RemoveTags", #"{"ResourceId":"\#(arn)","TagsList":[{"Key":"a"}]}"#)
    let tags = try await fixture.done("ListTags", #"{"ResourceIdList":["\#(arn)"]}"#)
    #expect(tags["ResourceTagList"]?.array?.first?["TagsList"]?.text == #"[{"Key":"b"}]"#)
    #expect(try await fixture.call("ListTags", #"{"ResourceIdList":["\#(arn)x"]}"#).code == "ResourceNotFoundException")
    #expect(try await fixture.call("GetInsightSelectors", #"{"TrailName":"abc"}"#).code == "InsightNotEnabledException")
    for i in 1...4 { try await fixture.done("CreateTrail", #"{"Name":"abc\#(i)","S3BucketName":"logs"}"#) }
    #expect(
      try await fixture.call("CreateTrail", #"{"Name":"abc5","S3BucketName":"logs"}"#).code
        == "MaximumNumberOfTrailsExceededException")
  }

  @Test func selectorsSayWhatATrailTakes() async throws {
    let fixture = try await AuditFixture()
    try await fixture.done("CreateTrail", #"{"Name":"abc","S3BucketName":"logs"}"#)
    let standard = try await fixture.done("GetEventSelectors", #"{"TrailName":"abc"}"#)
    #expect(
      standard["EventSelectors"]?.text
        == #"[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[],"ExcludeManagementEventSources":[]}]"#
    )
    try await fixture.done(
      "PutEventSelectors", #"{"TrailName":"abc","EventSelectors":[{"ReadWriteType":"WriteOnly"}]}"#)
    try await fixture.done("StartLogging", #"{"Name":"abc"}"#)
    await fixture.iam("Action=CreateUser&UserName=u")
    await fixture.iam("Action=GetUser&UserName=u")
    await fixture.advance(301)
    let names = try fixture.delivered().compactMap { $0["eventName"]?.string }
    #expect(names.contains("CreateUser") && !names.contains("GetUser"))
    for bad in [
      #""EventSelectors":[],"AdvancedEventSelectors":[]"#,
      #""EventSelectors":[{"DataResources":[{"Type":"AWS::X","Values":[]}]}]"#,
      #""EventSelectors":[{"DataResources":[{"Type":"AWS::S3::Object","Values":["b"]}]}]"#,
      #""AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventName","Equals":["a"]}]}]"#,
      #""AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]}]"#,
    ] {
      #expect(
        try await fixture.call("PutEventSelectors", #"{"TrailName":"abc",\#(bad)}"#).code
          == "InvalidEventSelectorsException", "\(bad)")
    }
    let advanced =
      #"[{"Name":"n","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventName","NotStartsWith":["Delete","Get"]}]}]"#
    let put = try await fixture.done("PutEventSelectors", #"{"TrailName":"abc","AdvancedEventSelectors":\#(advanced)}"#)
    #expect(put["AdvancedEventSelectors"]?.text == advanced && put["EventSelectors"] == nil)
    await fixture.iam("Action=DeleteUser&UserName=u")
    await fixture.iam("Action=CreateUser&UserName=v")
    await fixture.advance(301)
    let later = try fixture.delivered().compactMap { $0["eventName"]?.string }
    #expect(!later.contains("DeleteUser") && later.filter { $0 == "CreateUser" }.count == 2)
  }

  @Test func dataEventsAreHeardOnlyWhenATrailAsks() async throws {
    let fixture = try await AuditFixture()
    #expect(fixture.door.auditor(of: .functions) == nil && fixture.door.auditor(of: .management) != nil)
    try await fixture.done("CreateTrail", #"{"Name":"abc","S3BucketName":"logs"}"#)
    let data =
      #"{"DataResources":[{"Type":"AWS::Lambda::Function","Values":["arn:aws:lambda:us-east-1:111111111111:function:f"]}]}"#
    try await fixture.done("PutEventSelectors", #"{"TrailName":"abc","EventSelectors":[\#(data)]}"#)
    #expect(fixture.door.auditor(of: .functions) == nil)
    try await fixture.done("StartLogging", #"{"Name":"abc"}"#)
    let auditor = try #require(fixture.door.auditor(of: .functions))
    #expect(fixture.door.auditor(of: .objects) == nil && fixture.door.auditor(of: .unrecorded) == nil)
    for name in ["f", "f:live", "g", "111111111111:function:f:1"] {
      let request = HTTPRequest(
        method: .POST, uri: "/", headers: ["X-Amz-Invocation-Type": "Event"], body: ByteBuffer(string: "secret"))
      auditor.take(
        AuditDraft(
          .rest("Lambda.Invoke", .post, "/2015-03-31/functions/{FunctionName}/invocations"), .functions, request,
          [.init("FunctionName", .string(name))], fixture.newCall(), .answered(HTTPReply(status: 202))))
    }
    await fixture.advance(301)
    let records = try fixture.delivered().filter { $0["eventCategory"]?.string == "Data" }
    #expect(
      records.compactMap { $0["requestParameters"]?["functionName"]?.string } == [
        "f", "f:live", "111111111111:function:f:1",
      ])
    let record = try #require(records.first)
    #expect(record["eventName"]?.string == "Invoke" && record["managementEvent"]?.bool == false)
    #expect(
      record["resources"]?.text
        == #"[{"accountId":"111111111111","type":"AWS::Lambda::Function","ARN":"arn:aws:lambda:us-east-1:111111111111:function:f"}]"#
    )
    #expect(try await others(fixture).allSatisfy { $0.event["EventName"]?.string != "Invoke" })
    // Nobody waits for them any more.
    try await fixture.done("StopLogging", #"{"Name":"abc"}"#)
    #expect(fixture.door.auditor(of: .functions) == nil)
  }
}
