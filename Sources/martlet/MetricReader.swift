// Reads metrics of a server over the public API of CloudWatch.
import ArgumentParser
import MartletCore
import MartletWire
import NIOCore

struct MetricReader {
  /// A metric, and what to make of it.
  struct Question {
    let space: String
    let name: String
    let dimensions: [(name: String, value: String)]
    let statistic: String
  }

  let server: ServerOptions

  /// Now, on the server's clock, in seconds since 1970.
  func now() async throws -> Int64 {
    let clock = try JSONValue(parsing: try await server.call(.get, "/_martlet/clock").body)
    return RealWorld().now().seconds + Int64(clock["offsetSeconds"]?.number ?? 0)
  }

  /// The dimensions of all metrics of a namespace, each with its value by its name.
  func dimensions(in space: String) async throws -> [[String: String]] {
    var found: [[String: String]] = []
    var token: String?
    repeat {
      let page = try await call(
        "ListMetrics", .members(("Namespace", .string(space)), ("NextToken", token.map { .string($0) })))
      for metric in page["Metrics"]?.array ?? [] {
        let pairs = (metric["Dimensions"]?.array ?? []).map { ($0["Name"]?.string ?? "", $0["Value"]?.string ?? "") }
        found.append(Dictionary(pairs, uniquingKeysWith: { $1 }))
      }
      token = page["NextToken"]?.string
    } while token != nil
    return found
  }

  /// One value for each question; nil where the metric says nothing in that time.
  /// - Parameters:
  ///   - start: seconds since 1970, of a full minute, or of the hour if it is weeks ago.
  ///   - end: the same; does not belong to it.
  func values(_ questions: [Question], from start: Int64, to end: Int64) async throws -> [Double?] {
    var values = [Double?](repeating: nil, count: questions.count)
    guard end > start else { return values }
    // One piece that is longer than the time, and of whole hours, because that is how old values are kept.
    let period = (end - start + 3599) / 3600 * 3600
    for first in stride(from: 0, to: questions.count, by: MetricReader.most) {
      let part = first..<min(questions.count, first + MetricReader.most)
      let queries = part.map { MetricReader.query(questions[$0], id: "q\($0)", period: period) }
      var token: String?
      repeat {
        let page = try await call(
          "GetMetricData",
          .members(
            ("MetricDataQueries", .array(queries)), ("StartTime", .integer(start)), ("EndTime", .integer(end)),
            ("NextToken", token.map { .string($0) })))
        for result in page["MetricDataResults"]?.array ?? [] {
          guard let index = result["Id"]?.string.flatMap({ Int($0.dropFirst()) }), values.indices.contains(index) else {
            continue
          }
          values[index] = result["Values"]?.array?.first?.number ?? values[index]
        }
        token = page["NextToken"]?.string
      } while token != nil
    }
    return values
  }

  private static let most = 400

  private static func query(_ question: Question, id: String, period: Int64) -> JSONValue {
    let dimensions = question.dimensions.map {
      JSONValue.members(("Name", .string($0.name)), ("Value", .string($0.value)))
    }
    let metric = JSONValue.members(
      ("Namespace", .string(question.space)), ("MetricName", .string(question.name)),
      ("Dimensions", .array(dimensions)))
    return .members(
      ("Id", .string(id)),
      (
        "MetricStat",
        .members(("Metric", metric), ("Period", .integer(period)), ("Stat", .string(question.statistic)))
      ))
  }

  private func call(_ operation: String, _ body: JSONValue) async throws -> JSONValue {
    let reply = try await server.call(
      .post, "/",
      headers: [
        ("X-Amz-Target", "GraniteServiceVersion20100801.\(operation)"), ("Content-Type", "application/x-amz-json-1.0"),
      ], body: ByteBuffer(string: body.text), service: "monitoring")
    return try JSONValue(parsing: reply.body)
  }
}
