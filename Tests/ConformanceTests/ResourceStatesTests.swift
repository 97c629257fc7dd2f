// Event source mappings and capacity providers on their way to a state: what is refused then, what a crash leaves.
import MartletCore
import MartletLambda
import MartletStore
import MartletWire
import NIOHTTP1
import Testing

@Suite struct ResourceStatesTests {
  private let lambda: LambdaFixture
  private let mappings = "/2015-03-31/event-source-mappings"
  private let providers = "/2025-11-30/capacity-providers"

  init() throws { lambda = try LambdaFixture() }

  private func map(_ queue: String = "q", _ more: String = "") async throws -> Answer {
    try await lambda.call(
      .POST, mappings,
      #"{"FunctionName":"f","EventSourceArn":"arn:aws:sqs:us-east-1:111111111111:\#(queue)"\#(more)}"#)
  }

  private func uuid(_ queue: String = "q", _ more: String = "") async throws -> String {
    try #require(try await map(queue, more)["UUID"]?.string)
  }

  private func provide(_ name: String) async throws -> Answer {
    try await lambda.call(
      .POST, providers,
      """
      {"CapacityProviderName":"\(name)","VpcConfig":{"SubnetIds":["subnet-1"],"SecurityGroupIds":[]},
       "PermissionsConfig":{"CapacityProviderOperatorRoleArn":"\(LambdaFixture.role)"}}
      """)
  }

  private func state(_ path: String) async throws -> String? {
    let answer = try await lambda.call(.GET, path)
    return (answer["CapacityProvider"] ?? answer.body)["State"]?.string
  }

  /// What is kept under each name after a crash and a start, by its state.
  private func afterCrash<R: Document>(
    _ catalogue: KeyPath<LambdaResources, Catalogue<R>>
  ) async throws -> [String: String] {
    let resources = try lambda.resourcesAfterCrash()
    resources.stop()
    await resources.run()
    return try Dictionary(
      uniqueKeysWithValues: resources[keyPath: catalogue].all.map { record in
        (record.key.name, try #require(try JSONValue(parsing: record.document)["State"]?.string))
      })
  }

  @Test func mappingsOnTheirWayAreInUse() async throws {
    try await lambda.make()
    let path = "\(mappings)/\(try await uuid())"
    #expect(try await state(path) == "Creating")
    for (method, verb) in [(.PUT, "update"), (.DELETE, "delete")] as [(HTTPMethod, String)] {
      lambda.expect(
        try await lambda.call(method, path, "{}"), 400, "ResourceInUseException",
        "Cannot \(verb) the event source mapping because it is in use.")
    }
    #expect(try await state(path) == "Creating")
    await lambda.settleResources()
    #expect(try await state(path) == "Enabled")
    let update = try await lambda.call(.PUT, path, #"{"Enabled":false}"#)
    #expect(update.status == 202 && update["State"]?.string == "Disabling")
    lambda.expect(
      try await lambda.call(.DELETE, path), 400, "ResourceInUseException",
      "Cannot delete the event source mapping because it is in use.")
  }

  /// A mapping that is being deleted is shown, and in nobody's way.
  @Test func mappingsOnTheirWayOutAreNoDuplicates() async throws {
    try await lambda.make()
    let path = "\(mappings)/\(try await uuid())"
    #expect(try await map().code == "ResourceConflictException")
    await lambda.settleResources()
    #expect(try await map().code == "ResourceConflictException")
    #expect(try await lambda.call(.DELETE, path)["State"]?.string == "Deleting")
    #expect(try await state(path) == "Deleting")
    #expect(try await map().status == 202)
    #expect(try await lambda.call(.GET, mappings)["EventSourceMappings"]?.array?.count == 2)
  }

  @Test func mappingsComeToRestAfterACrash() async throws {
    try await lambda.make()
    let settled = try await ["updated", "disabled", "deleted"].asyncMap { try await uuid($0) }
    let enabled = try await uuid("enabled", #","Enabled":false"#)
    await lambda.settleResources()
    _ = try await lambda.call(.PUT, "\(mappings)/\(settled[0])", #"{"BatchSize":3}"#)
    _ = try await lambda.call(.PUT, "\(mappings)/\(settled[1])", #"{"Enabled":false}"#)
    _ = try await lambda.call(.DELETE, "\(mappings)/\(settled[2])")
    _ = try await lambda.call(.PUT, "\(mappings)/\(enabled)", #"{"Enabled":true}"#)
    let created = try await uuid("created")
    let createdDisabled = try await uuid("created-disabled", #","Enabled":false"#)
    #expect(
      try await afterCrash(\.eventSourceMappings) == [
        settled[0]: "Enabled", settled[1]: "Disabled", enabled: "Enabled", created: "Enabled",
        createdDisabled: "Disabled",
      ])
  }

  @Test func providersOnTheirWayAreNotChanged() async throws {
    let made = try await provide("p")
    #expect(made.status == 202 && made["CapacityProvider"]?["State"]?.string == "Pending")
    let arn = "arn:aws:lambda:us-east-1:111111111111:capacity-provider:p"
    for method in [.PUT, .DELETE] as [HTTPMethod] {
      lambda.expect(
        try await lambda.call(method, "\(providers)/p", "{}"), 409, "ResourceConflictException",
        "The operation cannot be performed at this time. The capacity provider \(arn) is currently in the following "
          + "state: Pending")
    }
    await lambda.settleResources()
    #expect(try await state("\(providers)/p") == "Active")
    #expect(try await lambda.call(.DELETE, "\(providers)/p").status == 202)
    #expect(try await lambda.call(.PUT, "\(providers)/p", "{}").code == "ResourceConflictException")
    #expect(try await provide("p").code == "ResourceConflictException", "its name is free when it is gone")
    for (state, count) in [("Deleting", 1), ("Active", 0), ("Pending", 0)] {
      let list = try await lambda.call(.GET, "\(providers)?State=\(state)")
      #expect(list["CapacityProviders"]?.array?.count == count)
    }
  }

  @Test func providersComeToRestAfterACrash() async throws {
    for name in ["old", "deleted"] { _ = try await provide(name) }
    await lambda.settleResources()
    _ = try await lambda.call(.DELETE, "\(providers)/deleted")
    _ = try await provide("new")
    #expect(try await afterCrash(\.capacityProviders) == ["old": "Active", "new": "Active"])
  }
}

extension Array {
  fileprivate func asyncMap<T>(_ body: (Element) async throws -> T) async throws -> [T] {
    var found: [T] = []
    for element in self { found.append(try await body(element)) }
    return found
  }
}
