// The table of the service against AWS's model (lambda-model.json, written by extract_model.py).
import MartletLambda
import MartletStore
import MartletWire
import NIOHTTP1
import Testing

@Suite struct LambdaModelTests {
  @Test func everyRowIsAsInTheModel() throws {
    for row in LambdaService.rows {
      let name = String(row.route.name.dropFirst("Lambda.".count))
      let operation = try #require(ServiceModel.lambda.operations[name], "\(name) is not in the model")
      #expect(row.route.method.rawValue == operation.method, "\(name)")
      let parts = operation.uri.split(separator: "?", maxSplits: 1)
      #expect(row.route.path == parts[0], "\(name)")
      let selector = row.route.selector.map { "\($0.name)=\($0.value)" }
      #expect(selector == (parts.count > 1 ? String(parts[1]) : nil), "\(name)")
      #expect(row.route.status == operation.status, "\(name)")
    }
  }

  @Test func everyOperationHasOneRow() throws {
    let names = LambdaService.rows.map { String($0.route.name.dropFirst("Lambda.".count)) }
    #expect(names == ServiceModel.lambda.operations.keys.sorted())
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    let listed = lines.filter { !$0.hasPrefix("#") && !$0.contains(".") }.map(String.init)
    let missing = LambdaService.rows.filter { $0.stage != .executes }
    #expect(listed == missing.map { String($0.route.name.dropFirst("Lambda.".count)) })
  }

  /// What is not there yet says so by its name; or there can be nothing of the kind that the request names.
  @Test func whatIsMissingSaysSo() async throws {
    let lambda = try LambdaFixture()
    for row in LambdaService.rows where row.stage == .notYet {
      let name = String(row.route.name.dropFirst("Lambda.".count))
      let request = ModelRequest(try #require(ServiceModel.lambda.operations[name]))
      let answer = try await lambda.call(
        HTTPMethod(rawValue: request.operation.method), request.uri, request.body(),
        headers: HTTPHeaders(request.headers))
      if answer.code == "ResourceNotFoundException" { continue }
      #expect(answer.status == 501 && answer.code == "NotImplementedException", "\(name): \(answer.message)")
      #expect(answer.message.contains(name), "\(name): \(answer.message)")
    }
  }
}
