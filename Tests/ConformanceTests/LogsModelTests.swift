// CloudWatch Logs against AWS's model: its table, what every operation demands and refuses, and its answers.
import MartletStore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct LogsModelTests {
  static let written = LogsService.rows.filter(\.isWritten).map(\.route.action)

  @Test func everyOperationHasOneRow() {
    #expect(LogsService.rows.map(\.route.action) == ServiceModel.logs.operations.keys.sorted())
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.hasPrefix("Logs.") } == LogsService.rows.filter { $0.stage != .executes }.map(\.route.name))
  }

  @Test func whatIsMissingSaysSo() async throws {
    let logs = try LogsFixture()
    for row in LogsService.rows where !row.isWritten {
      let answer = try await logs.call(row.route.action, "{}")
      #expect(answer.status == 501 && answer.code == "NotImplementedException", "\(row.route.name)")
      #expect(answer.message.contains(row.route.name))
    }
  }

  /// Every request that the model forbids is refused in its words, and no request that it allows.
  @Test(arguments: written) func whatTheModelForbidsIsRefused(_ name: String) async throws {
    let logs = try LogsFixture()
    let operation = try #require(ServiceModel.logs.operations[name])
    let (violations, boundaries) = ModelWalker.walk(operation, of: .logs)
    for violation in violations {
      // The breach that the extraction knows is none: it takes \p{Z} for something else.
      if violation.field == "logGroupTags.1.member.values", violation.kind == .element { continue }
      let request = ModelRequest(operation, of: .logs).setting(violation.member, violation.value)
      let answer = try await logs.call(name, request.body())
      let words: String
      var code = "InvalidParameterException"
      switch violation.refusal {
      case .constraint(let text): words = "at '\(violation.field)' failed to satisfy constraint: \(text)"
      case .values:
        words = "at '\(violation.field)' failed to satisfy constraint: Member must satisfy enum value set: ["
      case .serialization: (words, code) = ("", "SerializationException")
      }
      let message = code == "SerializationException" ? "" : answer.message
      if answer.status != 400 || answer.code != code || !message.contains(words) {
        Issue.record(
          "\(name) \(violation.field) \(violation.kind.rawValue): wanted \(words), got \(answer.code) \(answer.message.prefix(400))"
        )
      }
    }
    for boundary in boundaries {
      let request = ModelRequest(operation, of: .logs).setting(boundary.member, boundary.value)
      let answer = try await logs.call(name, request.body())
      if answer.code == "SerializationException" || answer.message.contains("failed to satisfy constraint") {
        // Days are an enumeration that the model does not show; and samples of maps have one pair.
        if name == "PutRetentionPolicy" || boundary.field == "entity.keyAttributes" { continue }
        Issue.record("\(name) \(boundary.field): \(answer.message.prefix(400))")
      }
    }
  }

  /// Errors are the model's, with its status.
  @Test(arguments: written) func errorsAreTheModels(_ name: String) async throws {
    let logs = try LogsFixture()
    let operation = try #require(ServiceModel.logs.operations[name])
    for all in [false, true] {
      let answer = try await logs.call(name, ModelRequest(operation, of: .logs, all: all).body())
      guard answer.status != 200, answer.code != "NotImplementedException" else { continue }
      #expect(operation.errors.contains(answer.code), "\(name): \(answer.code) \(answer.message)")
      #expect(answer.status == 400)
    }
  }

  @Test func answersHaveTheModelsMembers() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    try await logs.put([(0, "one")])
    let group = #""logGroupName":"g""#
    let query = try await logs.ask(
      "StartQuery", "{\(group),\"startTime\":0,\"endTime\":1900000000,\"queryString\":\"limit 1\"}")
    let id = try #require(query["queryId"]?.string)
    for (name, body) in [
      ("DescribeLogGroups", "{}"), ("DescribeLogStreams", "{\(group)}"), ("ListLogGroups", "{}"),
      ("GetLogEvents", "{\(group),\"logStreamName\":\"s\"}"), ("FilterLogEvents", "{\(group)}"),
      ("GetQueryResults", "{\"queryId\":\"\(id)\"}"), ("DescribeQueries", "{}"),
      ("ListLogGroupsForQuery", "{\"queryId\":\"\(id)\"}"), ("GetLogGroupFields", "{\(group)}"),
      ("PutResourcePolicy", #"{"policyName":"p","policyDocument":"{}"}"#), ("DescribeResourcePolicies", "{}"),
      ("DescribeMetricFilters", "{}"), ("DescribeSubscriptionFilters", "{\(group)}"),
      ("PutQueryDefinition", #"{"name":"n","queryString":"limit 1"}"#), ("DescribeQueryDefinitions", "{}"),
      ("TestMetricFilter", #"{"filterPattern":"a","logEventMessages":["a"]}"#), ("ListTagsLogGroup", "{\(group)}"),
    ] {
      let answer = try await logs.ask(name, body)
      let known = try #require(ServiceModel.logs.operations[name]).output
      let found = (answer.members ?? []).map(\.name)
      #expect(!found.isEmpty && Set(found).isSubset(of: known), "\(name): \(found)")
    }
  }
}
