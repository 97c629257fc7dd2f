// X-Ray as clients use it: segments in, traces, summaries and graphs out; groups, sampling rules, limits.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletCloud

@Suite struct XRayTests {
  private static func segment(
    _ id: String, of trace: String, name: String = "api", parent: String? = nil, start: Double,
    end: Double? = nil,
    more: String = ""
  ) -> String {
    let parentID = parent.map { #","parent_id":"\#($0)""# } ?? ""
    let ending = end.map { #","end_time":\#($0)"# } ?? #","in_progress":true"#
    return
      #"{"id":"\#(id)","trace_id":"\#(trace)","name":"\#(name)","start_time":\#(start)\#(ending)\#(parentID)\#(more)}"#
  }

  private static let (a, b, c, d) = (
    "000000000000000a", "000000000000000b", "000000000000000c", "000000000000000d"
  )

  @Test func segmentsBecomeATrace() async throws {
    let xray = try XRayFixture()
    try await xray.running {
      let (id, now) = (xray.traceID(1), xray.now)
      let put = try await xray.put(
        XRayTests.segment(XRayTests.a, of: id, start: now, end: now + 2),
        // Sent by itself, before what is below it and what it is below.
        XRayTests.segment(
          XRayTests.d, of: id, name: "inner", parent: XRayTests.c, start: now + 0.5, end: now + 0.6,
          more: #","type":"subsegment""#),
        XRayTests.segment(
          XRayTests.c, of: id, name: "DynamoDB", parent: XRayTests.a, start: now + 0.4,
          end: now + 1,
          more: #","type":"subsegment","namespace":"aws""#))
      #expect(put["UnprocessedTraceSegments"]?.array?.isEmpty == true)
      let answer = try await xray.post(
        "/Traces", ("TraceIds", .array([.string(id), .string("1-00000000-0")])))
      #expect(answer["UnprocessedTraceIds"]?.array == [.string("1-00000000-0")])
      let trace = try #require(answer["Traces"]?.array?.first)
      #expect(trace["Id"]?.string == id && trace["Duration"]?.number == 2)
      let segments = try #require(trace["Segments"]?.array)
      #expect(segments.count == 1)
      let document = try JSONValue(parsing: try #require(segments.first?["Document"]?.string))
      let sub = try #require(document["subsegments"]?.array?.first)
      #expect(sub["name"]?.string == "DynamoDB" && sub["type"] == nil)
      #expect(sub["subsegments"]?.array?.first?["name"]?.string == "inner")
    }
  }

  @Test func whatIsNoSegmentIsNamed() async throws {
    let xray = try XRayFixture()
    try await xray.running {
      let id = xray.traceID(1)
      let put = try await xray.put(
        "{", #"{"id":"x"}"#, XRayTests.segment(XRayTests.a, of: "1-2-3", start: 1, end: 2),
        XRayTests.segment(XRayTests.a, of: id, start: 1, end: 2, more: #","type":"subsegment""#),
        XRayTests.segment(
          XRayTests.b, of: id, start: 1, end: 2,
          more: #","x":"\#(String(repeating: "y", count: 65536))""#),
        #"{"id":"\#(XRayTests.c)","trace_id":"\#(id)","name":"n","start_time":1}"#,
        XRayTests.segment(XRayTests.d, of: id, start: 1, end: 2))
      let codes = put["UnprocessedTraceSegments"]?.array?.compactMap { $0["ErrorCode"]?.string }
      #expect(
        codes == [
          "ParseError", "InvalidId", "InvalidTraceId", "InvalidParentId", "OversizedSegment",
          "InvalidTime",
        ])
      let answer = try await xray.post("/Traces", ("TraceIds", .array([.string(id)])))
      #expect(answer["Traces"]?.array?.first?["Segments"]?.array?.count == 1)
    }
  }

  private static func ids(_ answer: JSONValue) -> [String] {
    (answer["TraceSummaries"]?.array ?? []).compactMap { $0["Id"]?.string }
  }

  @Test func summariesAreFiltered() async throws {
    let xray = try XRayFixture()
    try await xray.running {
      let now = xray.now
      let (good, bad) = (xray.traceID(1), xray.traceID(2))
      _ = try await xray.put(
        XRayTests.segment(
          XRayTests.a, of: good, start: now, end: now + 0.25,
          more:
            #","annotations":{"user":"ann","age":7},"http":{"request":{"url":"http://x/a"},"response":{"status":200}}"#
        ),
        XRayTests.segment(
          XRayTests.a, of: bad, start: now, end: now + 3, more: #","fault":true,"user":"bob""#))
      func find(_ filter: String) async throws -> [String] {
        XRayTests.ids(
          try await xray.post(
            "/TraceSummaries", ("StartTime", .double(now - 10)), ("EndTime", .double(now + 10)),
            ("FilterExpression", .string(filter))))
      }
      #expect(try await find("") == [good, bad])
      #expect(try await find("fault") == [bad])
      #expect(try await find("!fault AND http.status = 200") == [good])
      #expect(try await find("responsetime > 1") == [bad])
      #expect(try await find(#"annotation.user = "ann" AND annotation[age] >= 7"#) == [good])
      #expect(try await find(#"service("api") { fault }"#) == [bad])
      #expect(try await find(#"user = "bob" OR http.url BEGINSWITH "http://x""#) == [good, bad])
      let answer = try await xray.call(
        .POST, "/TraceSummaries", #"{"StartTime":1,"EndTime":2,"FilterExpression":"fault AND"}"#)
      #expect(answer.status == 400 && answer.code == "InvalidRequestException")
      #expect(
        answer.message == "Invalid filter expression: the expression ends too early at position 10")
      let group = try await xray.post(
        "/CreateGroup", ("GroupName", .string("g")), ("FilterExpression", .string("fault")))
      #expect(try await find(#"group.name = "g""#) == [bad])
      let graph = try await xray.post(
        "/ServiceGraph", ("StartTime", .double(now - 10)), ("EndTime", .double(now + 10)),
        ("GroupARN", group["Group"]?["GroupARN"]))
      let api = graph["Services"]?.array?.first { $0["Type"]?.string != "client" }
      #expect(api?["SummaryStatistics"]?["FaultStatistics"]?["TotalCount"]?.integer == 1)
      #expect(api?["SummaryStatistics"]?["TotalCount"]?.integer == 1)
    }
  }

  @Test func summariesComeInPages() async throws {
    let xray = try XRayFixture()
    try await xray.running {
      let now = xray.now
      let all = (1...450).map { xray.traceID($0, secondsAgo: $0 % 7) }
      let documents = all.map { XRayTests.segment(XRayTests.a, of: $0, start: now, end: now + 1) }
      _ = try await xray.post(
        "/TraceSegments", ("TraceSegmentDocuments", .array(documents.map { .string($0) })))
      var found: [String] = []
      var token: JSONValue?
      var pages = 0
      repeat {
        let page = try await xray.post(
          "/TraceSummaries", ("StartTime", .double(now - 10)), ("EndTime", .double(now + 10)),
          ("NextToken", token))
        found += XRayTests.ids(page)
        token = page["NextToken"]
        pages += 1
      } while token != nil
      #expect(pages == 3 && found.count == 450 && Set(found) == Set(all))
      let wrong = try await xray.call(
        .POST, "/TraceSummaries", #"{"StartTime":1,"EndTime":2,"NextToken":"x"}"#)
      #expect(wrong.code == "InvalidRequestException")
    }
  }

  @Test func theGraphShowsWhoCallsWhom() async throws {
    let xray = try XRayFixture()
    try await xray.running {
      let (id, now) = (xray.traceID(1), xray.now)
      _ = try await xray.put(
        XRayTests.segment(
          XRayTests.a, of: id, start: now, end: now + 2,
          more: """
            ,"subsegments":[{"id":"\(XRayTests.c)","name":"back","namespace":"remote","start_time":\(now),"end_time":\(now + 1)},
            {"id":"\(XRayTests.d)","name":"S3","namespace":"aws","start_time":\(now),"end_time":\(now + 1),"error":true}]
            """),
        XRayTests.segment(
          XRayTests.b, of: id, name: "back", parent: XRayTests.c, start: now, end: now + 0.5))
      let graph = try await xray.post("/TraceGraph", ("TraceIds", .array([.string(id)])))
      let services = try #require(graph["Services"]?.array)
      func number(_ name: String, _ type: String?) -> Int? {
        services.first { $0["Name"]?.string == name && $0["Type"]?.string == type }?["ReferenceId"]?
          .integer
      }
      let (client, api) = (try #require(number("api", "client")), try #require(number("api", nil)))
      let (back, s3) = (try #require(number("back", nil)), try #require(number("S3", "AWS::S3")))
      #expect(services.count == 4)
      func edges(_ index: Int) -> [Int] {
        (services[index]["Edges"]?.array ?? []).compactMap { $0["ReferenceId"]?.integer }
      }
      #expect(edges(client) == [api] && Set(edges(api)) == [back, s3] && edges(back).isEmpty)
      #expect(services[client]["Root"]?.bool == true)
      let toS3 = services[api]["Edges"]?.array?.first { $0["ReferenceId"]?.integer == s3 }
      #expect(toS3?["SummaryStatistics"]?["ErrorStatistics"]?["TotalCount"]?.integer == 1)
    }
  }

  @Test func tracesGoAfterThirtyDays() async throws {
    let xray = try XRayFixture()
    try await xray.running {
      let (id, now) = (xray.traceID(1), xray.now)
      _ = try await xray.put(XRayTests.segment(XRayTests.a, of: id, start: now, end: now + 1))
      let stored = try xray.service.store.size()
      #expect(stored > 0)
      await xray.advance(29 * 86400)
      let before = try await xray.post("/Traces", ("TraceIds", .array([.string(id)])))
      #expect(before["Traces"]?.array?.count == 1)
      await xray.advance(86400 + 2)
      let after = try await xray.post("/Traces", ("TraceIds", .array([.string(id)])))
      #expect(after["UnprocessedTraceIds"]?.array == [.string(id)])
      // The next look removes it.
      await xray.service.sweep()
      #expect(try xray.service.store.size() == 0)
    }
  }

  @Test func theOldestGoWhereThereIsNoRoom() async throws {
    let xray = try XRayFixture(limits: XRayService.Limits(storage: .bytes(20_000)))
    try await xray.running {
      let now = xray.now
      let filler = #","metadata":{"x":"\#(String(repeating: "y", count: 4000))"}"#
      let ids = (1...10).map { xray.traceID($0, secondsAgo: 100 - $0) }
      for id in ids {
        _ = try await xray.put(
          XRayTests.segment(XRayTests.a, of: id, start: now, end: now, more: filler))
      }
      await xray.service.sweep()
      #expect(try xray.service.store.size() <= 20_000)
      let answer = try await xray.post(
        "/TraceSummaries", ("StartTime", .double(now - 1000)), ("EndTime", .double(now + 10)))
      let left = XRayTests.ids(answer)
      #expect(left.count >= 3 && left == Array(ids.suffix(left.count)))
    }
  }

  @Test func whatIsOnDiskIsFoundAgain() async throws {
    let first = try XRayFixture()
    let id = first.traceID(1)
    try await first.running {
      _ = try await first.put(
        XRayTests.segment(XRayTests.a, of: id, start: first.now, end: first.now + 1))
      // Handed over without waiting: written at the end at the latest.
      first.service.take(
        TraceParcel(
          place: first.place, size: 100,
          .datagram(
            ByteBuffer(
              string: #"{"format":"json","version":1}"# + "\n"
                + XRayTests.segment(XRayTests.b, of: id, start: first.now, end: first.now + 1)))))
    }
    let second = try XRayFixture(directory: first.path)
    try await second.running {
      let answer = try await second.post("/Traces", ("TraceIds", .array([.string(id)])))
      #expect(answer["Traces"]?.array?.first?["Segments"]?.array?.count == 2)
    }
  }

  @Test func groupsAreKept() async throws {
    let xray = try XRayFixture()
    let made = try await xray.post(
      "/CreateGroup", ("GroupName", .string("g")), ("FilterExpression", .string("fault")),
      ("Tags", .array([.members(("Key", .string("k")), ("Value", .string("v")))])))
    let arn = try #require(made["Group"]?["GroupARN"])
    #expect(
      try await xray.call(.POST, "/CreateGroup", #"{"GroupName":"g"}"#).code
        == "InvalidRequestException")
    #expect(
      try await xray.call(.POST, "/CreateGroup", #"{"GroupName":"h","FilterExpression":"("}"#).code
        == "InvalidRequestException")
    _ = try await xray.post(
      "/UpdateGroup", ("GroupARN", arn), ("FilterExpression", .string("error")))
    let found = try await xray.post("/GetGroup", ("GroupName", .string("g")))
    #expect(found["Group"]?["FilterExpression"]?.string == "error")
    #expect(try await xray.post("/Groups")["Groups"]?.array?.count == 1)
    try await xray.post(
      "/TagResource", ("ResourceARN", arn),
      ("Tags", .array([.members(("Key", .string("k2")), ("Value", .string("")))])))
    try await xray.post("/UntagResource", ("ResourceARN", arn), ("TagKeys", .array([.string("k")])))
    let tags = try await xray.post("/ListTagsForResource", ("ResourceARN", arn))
    #expect(tags["Tags"]?.array?.compactMap { $0["Key"]?.string } == ["k2"])
    try await xray.post("/DeleteGroup", ("GroupName", .string("g")))
    #expect(
      try await xray.call(.POST, "/GetGroup", #"{"GroupName":"g"}"#).code
        == "InvalidRequestException")
    let missing = try await xray.call(
      .POST, "/ListTagsForResource", #"{"ResourceARN":"\#(arn.string ?? "")"}"#)
    #expect(missing.code == "ResourceNotFoundException" && missing.status == 404)
  }

  private static func rule(
    _ name: String, priority: Int, rate: Double, size: Int, service: String = "*"
  ) -> JSONValue {
    .members(
      ("RuleName", .string(name)), ("ResourceARN", .string("*")),
      ("Priority", .integer(Int64(priority))),
      ("FixedRate", .double(rate)), ("ReservoirSize", .integer(Int64(size))),
      ("ServiceName", .string(service)),
      ("ServiceType", .string("*")), ("Host", .string("*")), ("HTTPMethod", .string("*")),
      ("URLPath", .string("*")),
      ("Version", .integer(1)))
  }

  private static func samples(_ xray: XRayFixture, _ service: String) -> Bool {
    xray.service.samples(
      service, type: "AWS::Lambda", arn: "arn:aws:lambda:us-east-1:111111111111:function:f",
      in: xray.place)
  }

  @Test func samplingRulesDecide() async throws {
    let xray = try XRayFixture()
    // The Default rule: one in a second for sure, and one of twenty of the rest.
    #expect(XRayTests.samples(xray, "f"))
    let more = (0..<4000).filter { _ in XRayTests.samples(xray, "f") }.count
    #expect((100...320).contains(more))
    #expect(XRayTests.samples(xray, "other"), "every service has a second of its own")
    try await xray.post(
      "/CreateSamplingRule",
      ("SamplingRule", XRayTests.rule("none", priority: 10, rate: 0, size: 0)))
    try await xray.post(
      "/CreateSamplingRule",
      ("SamplingRule", XRayTests.rule("all", priority: 5, rate: 1, size: 0, service: "f?o*")))
    #expect(
      !XRayTests.samples(xray, "bar")
        && (0..<50).allSatisfy { _ in XRayTests.samples(xray, "foo-x") })
    let rules = try await xray.post("/GetSamplingRules")
    let names = rules["SamplingRuleRecords"]?.array?.compactMap {
      $0["SamplingRule"]?["RuleName"]?.string
    }
    #expect(names == ["all", "none", "Default"])
    try await xray.post(
      "/UpdateSamplingRule",
      ("SamplingRuleUpdate", .members(("RuleName", .string("none")), ("FixedRate", .double(1)))))
    #expect(XRayTests.samples(xray, "bar"))
    let wrong = try await xray.call(
      .POST, "/UpdateSamplingRule", #"{"SamplingRuleUpdate":{"RuleName":"Default","Priority":3}}"#)
    #expect(wrong.code == "InvalidRequestException")
    try await xray.post("/DeleteSamplingRule", ("RuleName", .string("none")))
    let figures = try await xray.post("/SamplingStatisticSummaries")
    let standard = figures["SamplingStatisticSummaries"]?.array?.first {
      $0["RuleName"]?.string == "Default"
    }
    #expect(standard?["RequestCount"]?.integer == 4002 && standard?["BorrowCount"]?.integer == 2)
  }

  @Test func clientsAreToldHowMuchToSample() async throws {
    let xray = try XRayFixture()
    func document(_ rule: String) -> JSONValue {
      .members(
        ("RuleName", .string(rule)), ("ClientID", .string(String(repeating: "a", count: 24))),
        ("Timestamp", .integer(1)),
        ("RequestCount", .integer(10)), ("SampledCount", .integer(3)))
    }
    let answer = try await xray.post(
      "/SamplingTargets",
      ("SamplingStatisticsDocuments", .array([document("Default"), document("gone")])))
    let target = try #require(answer["SamplingTargetDocuments"]?.array?.first)
    #expect(target["FixedRate"]?.number == 0.05 && target["ReservoirQuota"]?.integer == 1)
    #expect(answer["UnprocessedStatistics"]?.array?.first?["RuleName"]?.string == "gone")
    // What the daemon's TCP port answers, and what it does not.
    func daemon(_ path: String, _ body: String = "{}") async -> Int {
      await xray.service.daemon(
        HTTPRequest(method: .POST, uri: path, headers: [:], body: ByteBuffer(string: body)),
        in: xray.place
      ).status
    }
    #expect(await daemon("/GetSamplingRules") == 200)
    #expect(await daemon("/SamplingTargets", #"{"SamplingStatisticsDocuments":[]}"#) == 200)
    #expect(await daemon("/Groups") == 404)
  }

  @Test func settingsAreKept() async throws {
    let xray = try XRayFixture()
    #expect(try await xray.post("/EncryptionConfig")["EncryptionConfig"]?["Type"]?.string == "NONE")
    try await xray.post(
      "/PutEncryptionConfig", ("Type", .string("KMS")), ("KeyId", .string("alias/k")))
    let kept = try await xray.post("/EncryptionConfig")["EncryptionConfig"]
    #expect(kept?["Type"]?.string == "KMS" && kept?["KeyId"]?.string == "alias/k")
    #expect(
      try await xray.call(.POST, "/PutEncryptionConfig", #"{"Type":"KMS"}"#).code
        == "InvalidRequestException")
    #expect(try await xray.post("/GetTraceSegmentDestination")["Destination"]?.string == "XRay")
    try await xray.post(
      "/TelemetryRecords", ("TelemetryRecords", .array([.members(("Timestamp", .integer(1)))])))
  }
}
