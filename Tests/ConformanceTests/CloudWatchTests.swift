// Metrics: what was put is found again, in every protocol, in pieces of any period, and after a restart.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletCloud

@Suite struct CloudWatchTests {
  private static let start = CloudWatchFixture.start

  @Test(arguments: CloudWatchFixture.Wire.allCases) func valuesAreFoundAgain(_ wire: CloudWatchFixture.Wire)
    async throws
  {
    let fixture = try CloudWatchFixture()
    let put = try await fixture.call(
      "PutMetricData",
      #"{"Namespace":"Shop","MetricData":[{"MetricName":"Orders","Value":1.5,"Unit":"Count","Dimensions":[{"Name":"City","Value":"Bern"}]},{"MetricName":"Orders","Values":[1,2],"Counts":[3,1],"Unit":"Count","Dimensions":[{"Name":"City","Value":"Bern"}]}]}"#,
      wire)
    #expect(put.status == 200, "\(put.text)")
    let time: (Int64) -> String = {
      wire == .query ? "\"\(Timestamp(milliseconds: $0 * 1000).iso8601Seconds)\"" : "\($0)"
    }
    let got = try await fixture.call(
      "GetMetricStatistics",
      #"{"Namespace":"Shop","MetricName":"Orders","Dimensions":[{"Name":"City","Value":"Bern"}],"StartTime":\#(time(CloudWatchTests.start)),"EndTime":\#(time(CloudWatchTests.start + 60)),"Period":60,"Statistics":["Sum","SampleCount","Maximum"]}"#,
      wire)
    #expect(got.status == 200, "\(got.text)")
    if wire == .query {
      #expect(got.text.contains("<Sum>6.5</Sum>") && got.text.contains("<Timestamp>2027-01-15T08:00:00Z</Timestamp>"))
      #expect(
        got.text.contains("<GetMetricStatisticsResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">"))
    } else {
      let point = try #require(got.body["Datapoints"]?.array?.first)
      #expect(point["Sum"] == .double(6.5) && point["SampleCount"]?.number == 5 && point["Maximum"]?.number == 2)
      #expect(point["Average"] == nil && point["Unit"]?.string == "Count")
      #expect(point["Timestamp"]?.number == Double(CloudWatchTests.start))
      #expect(got.header("Content-Type") == (wire == .cbor ? "application/cbor" : "application/x-amz-json-1.0"))
    }
    let list = try await fixture.call("ListMetrics", #"{"Namespace":"Shop","Dimensions":[{"Name":"City"}]}"#, wire)
    #expect(list.text.contains("Orders") && list.text.contains("Bern"))
    let none = try await fixture.call("ListMetrics", #"{"Dimensions":[{"Name":"City","Value":"Basel"}]}"#, wire)
    #expect(!none.text.contains("Orders"))
  }

  @Test(arguments: CloudWatchFixture.Wire.allCases) func refusalsHaveTheirCodes(_ wire: CloudWatchFixture.Wire)
    async throws
  {
    let fixture = try CloudWatchFixture()
    let answer = try await fixture.call(
      "PutMetricData", #"{"Namespace":"AWS/Lambda","MetricData":[{"MetricName":"a","Value":1}]}"#, wire)
    #expect(answer.status == 400)
    if wire == .query {
      #expect(answer.text.contains("<Code>InvalidParameterValue</Code>"))
    } else {
      #expect(answer.code == "InvalidParameterValueException")
      #expect(answer.header("x-amzn-query-error") == "InvalidParameterValue;Sender")
    }
    #expect(try await fixture.call("Nonsense", "{}", wire).status == (wire == .cbor ? 404 : 400))
  }

  @Test func theCallerMayPack() async throws {
    let fixture = try CloudWatchFixture()
    // python3: gzip.compress(b'{"Namespace":"Shop","MetricData":[{"MetricName":"Packed","Value":7}]}', mtime=0)
    let packed =
      "H4sIAAAAAAACA6tW8kvMTS0uSExOVbJSCs7IL1DSUfJNLSnKTHZJLElUsoquhnJB6oBKAhKTs1NTgIrCEnNKgQLmtbG1APoit+VFAAAA"
    let body = try #require(Base64.decode(packed))
    let request = HTTPRequest(
      method: .POST, uri: "/",
      headers: ["X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData", "Content-Encoding": "gzip"], body: body)
    #expect(try await fixture.send(request, .json).status == 200)
    #expect(try await fixture.sums("Packed") == [7])
    let broken = HTTPRequest(
      method: .POST, uri: "/", headers: request.headers,
      body: ByteBuffer(bytes: Array(body.readableBytesView).dropLast(9)))
    #expect(try await fixture.send(broken, .query).status == 400)
  }

  @Test func periodsArePutTogether() async throws {
    let fixture = try CloudWatchFixture()
    for minute in 0..<10 {
      try await fixture.put("Orders", [Double(minute), 1])
      await fixture.advance(60)
    }
    #expect(try await fixture.sums("Orders") == (0..<10).map { Double($0) + 1 })
    let answer = try await fixture.call(
      "GetMetricData",
      #"{"StartTime":\#(CloudWatchTests.start),"EndTime":\#(CloudWatchTests.start + 3600),"MetricDataQueries":[{"Id":"a","MetricStat":{"Metric":{"Namespace":"Shop","MetricName":"Orders"},"Period":300,"Stat":"Maximum"}},{"Id":"b","Label":"all","MetricStat":{"Metric":{"Namespace":"Shop","MetricName":"Orders"},"Period":3600,"Stat":"p50"}}]}"#
    )
    let results = try #require(answer.body["MetricDataResults"]?.array)
    #expect(results.map { $0["Label"]?.string } == ["Orders", "all"])
    #expect(results[0]["Values"]?.array?.compactMap(\.number) == [9, 4])
    #expect(
      results[0]["Timestamps"]?.array?.compactMap(\.number)
        == [Double(CloudWatchTests.start + 300), Double(CloudWatchTests.start)])
    #expect(results[1]["Values"]?.array?.compactMap(\.number) == [1])
  }

  @Test func pagesAreCut() async throws {
    let fixture = try CloudWatchFixture()
    for _ in 0..<5 {
      try await fixture.put("Orders", [1])
      try await fixture.put("Sales", [2])
      await fixture.advance(60)
    }
    var (found, token): ([String: [Double]], String?) = ([:], nil)
    var pages = 0
    repeat {
      let next = token.map { #","NextToken":"\#($0)""# } ?? ""
      let answer = try await fixture.call(
        "GetMetricData",
        #"{"StartTime":\#(CloudWatchTests.start),"EndTime":\#(CloudWatchTests.start + 300),"ScanBy":"TimestampAscending","MaxDatapoints":3,"MetricDataQueries":[{"Id":"a","MetricStat":{"Metric":{"Namespace":"Shop","MetricName":"Orders"},"Period":60,"Stat":"Sum"}},{"Id":"b","MetricStat":{"Metric":{"Namespace":"Shop","MetricName":"Sales"},"Period":60,"Stat":"Sum"}}]\#(next)}"#
      )
      #expect(answer.status == 200, "\(answer.message)")
      for result in answer.body["MetricDataResults"]?.array ?? [] {
        found[result["Id"]?.string ?? "", default: []] += result["Values"]?.array?.compactMap(\.number) ?? []
      }
      token = answer.body["NextToken"]?.string
      pages += 1
    } while token != nil && pages < 10
    #expect(found == ["a": [1, 1, 1, 1, 1], "b": [2, 2, 2, 2, 2]])
    #expect(pages == 4)
  }

  @Test func valuesOutliveTheServer() async throws {
    let first = try CloudWatchFixture()
    try await first.put("Orders", [1, 2, 3])
    await first.advance(2)
    let second = try CloudWatchFixture(in: first.directory)
    #expect(try await second.sums("Orders") == [6])
    try await second.put("Orders", [4])
    #expect(try await second.sums("Orders") == [10])
  }

  @Test func oldValuesAreCoarse() async throws {
    let fixture = try CloudWatchFixture()
    for _ in 0..<5 {
      try await fixture.put("Orders", [1, 5])
      await fixture.advance(60)
    }
    await fixture.advance(16 * 86_400)
    fixture.service.metrics.sweep()
    // By the minute they are not known any more; by five minutes they are whole.
    #expect(try await fixture.sums("Orders").isEmpty)
    func sum(_ period: Int) async throws -> [Double] {
      let answer = try await fixture.call(
        "GetMetricStatistics",
        #"{"Namespace":"Shop","MetricName":"Orders","StartTime":\#(CloudWatchTests.start),"EndTime":\#(CloudWatchTests.start + 3600),"Period":\#(period),"Statistics":["Sum"]}"#
      )
      return answer.body["Datapoints"]?.array?.compactMap { $0["Sum"]?.number } ?? []
    }
    #expect(try await sum(300) == [30])
    await fixture.advance(64 * 86_400)
    fixture.service.metrics.sweep()
    #expect(try await sum(300).isEmpty)
    #expect(try await sum(3600) == [30])
    await fixture.advance(460 * 86_400)
    fixture.service.metrics.sweep()
    #expect(try await sum(3600).isEmpty)
    #expect(fixture.service.metricCount == 0)
  }

  @Test func tooManyPointsAreRefused() async throws {
    let fixture = try CloudWatchFixture()
    let answer = try await fixture.call(
      "GetMetricStatistics",
      #"{"Namespace":"Shop","MetricName":"Orders","StartTime":0,"EndTime":172800,"Period":60,"Statistics":["Sum"]}"#)
    #expect(answer.code == "InvalidParameterCombinationException")
    #expect(
      answer.message
        == "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range."
    )
  }

  @Test(arguments: [
    #""Value":1,"Timestamp":1700000000"#, #""Values":[1,2],"Counts":[1]"#, #""Value":1e200"#, #""Unit":"Count""#,
    #""StatisticValues":{"SampleCount":0,"Sum":1,"Minimum":1,"Maximum":1}"#, #""Value":1,"StorageResolution":30"#,
  ]) func wrongValuesAreRefused(_ members: String) async throws {
    let fixture = try CloudWatchFixture()
    let answer = try await fixture.call(
      "PutMetricData", #"{"Namespace":"Shop","MetricData":[{"MetricName":"a",\#(members)}]}"#)
    #expect(answer.status == 400 && answer.code != "SerializationException", "\(members): \(answer.text)")
    #expect(!answer.message.isEmpty)
  }
}
