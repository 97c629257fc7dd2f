// The operations on functions, versions and tags, against what AWS answers.
import MartletCore
import MartletLambda
import MartletWire
import NIOHTTP1
import Testing

@Suite struct LambdaOperationsTests {
  private let lambda: LambdaFixture
  private let functions = "/2015-03-31/functions"
  private let tags = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A111111111111%3Afunction%3A"

  init() throws { lambda = try LambdaFixture() }

  private func update(_ body: String) async throws -> Answer {
    try await lambda.call(.PUT, "\(functions)/f/configuration", body)
  }

  private func updateCode(_ zip: Int, _ more: String = "") async throws -> Answer {
    try await lambda.call(.PUT, "\(functions)/f/code", #"{"ZipFile":"\#(LambdaFixture.zips[zip])"\#(more)}"#)
  }

  private func publish(_ body: String = "{}") async throws -> Answer {
    try await lambda.call(.POST, "\(functions)/f/versions", body)
  }

  // MARK: - States

  @Test func createAnswersPending() async throws {
    let answer = try await lambda.create()
    #expect(answer.status == 201)
    #expect(
      answer.names == [
        "Architectures", "CodeSha256", "CodeSize", "Description", "EphemeralStorage", "FunctionArn", "FunctionName",
        "Handler", "LastModified", "LoggingConfig", "MemorySize", "PackageType", "RevisionId", "Role", "Runtime",
        "RuntimeVersionConfig", "SnapStart", "State", "StateReason", "StateReasonCode", "Timeout", "TracingConfig",
        "Version",
      ])
    #expect(answer["State"]?.string == "Pending")
    #expect(answer["StateReason"]?.string == "The function is being created.")
    #expect(answer["StateReasonCode"]?.string == "Creating")
    #expect(answer["FunctionArn"]?.string == LambdaFixture.arn)
    #expect(answer["Version"]?.string == "$LATEST")
    #expect(answer["Timeout"]?.integer == 3)
    #expect(answer["MemorySize"]?.integer == 128)
    #expect(answer["LoggingConfig"]?["LogGroup"]?.string == "/aws/lambda/f")
    lambda.expect(
      try await update("{}"), 409, "ResourceConflictException",
      "The operation cannot be performed at this time. The function is currently in the following state: Pending")
    lambda.expect(try await lambda.create(), 409, "ResourceConflictException", "Function already exist: f")
  }

  @Test func becomesActive() async throws {
    let created = try await lambda.create()
    await lambda.settle()
    let answer = try await lambda.get()
    #expect(answer["State"]?.string == "Active")
    #expect(answer["LastUpdateStatus"]?.string == "Successful")
    #expect(answer["StateReason"] == nil)
    #expect(answer["RevisionId"] != created["RevisionId"])
    #expect(answer["LastModified"] == created["LastModified"])
  }

  @Test func updateIsInProgress() async throws {
    try await lambda.make()
    let first = try await lambda.get()
    let answer = try await update(#"{"Timeout":10,"Environment":{"Variables":{"AB":"1"}}}"#)
    #expect(answer.status == 200)
    #expect(answer["State"]?.string == "Active")
    #expect(answer["LastUpdateStatus"]?.string == "InProgress")
    #expect(answer["LastUpdateStatusReason"]?.string == "The function is being created.")
    #expect(answer["LastUpdateStatusReasonCode"]?.string == "Creating")
    #expect(answer["Timeout"]?.integer == 10)
    #expect(answer["Handler"]?.string == "index.handler")
    #expect(answer["RevisionId"] != first["RevisionId"])
    lambda.expect(
      try await update("{}"), 409, "ResourceConflictException",
      "The operation cannot be performed at this time. An update is in progress for resource: \(LambdaFixture.arn)")
    await lambda.settle()
    let second = try await lambda.get()
    #expect(second["LastUpdateStatus"]?.string == "Successful")
    #expect(second["RevisionId"] != answer["RevisionId"])
    #expect(second["Environment"]?["Variables"]?["AB"]?.string == "1")
  }

  /// What runs while an update is in progress is what ran before it.
  @Test func updateServesTheOldUntilDone() async throws {
    try await lambda.make()
    _ = try await updateCode(1)
    let record = try #require(lambda.functions.all.first)
    #expect(record.invocable(.latest)?.code != record.latest.code)
    #expect(record.invocable(.latest)?.incarnation != record.latest.incarnation)
    await lambda.settle()
    let settled = try #require(lambda.functions.all.first)
    #expect(settled.invocable(.latest)?.code == record.latest.code)
  }

  @Test func wrongRevisionIsRefused() async throws {
    try await lambda.make()
    let text =
      "The Revision Id provided does not match the latest Revision Id. "
      + "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
    let wrong = #"{"RevisionId":"88ed7d39-3a4d-4d54-9dfe-2a4b9c1b1b2a"}"#
    lambda.expect(try await update(wrong), 412, "PreconditionFailedException", text)
    lambda.expect(try await publish(wrong), 412, "PreconditionFailedException", text)
    lambda.expect(
      try await updateCode(1, #","RevisionId":"x""#), 412, "PreconditionFailedException", text)
    let right = try #require(try await lambda.get()["RevisionId"]?.string)
    #expect(try await update(#"{"RevisionId":"\#(right)"}"#).status == 200)
  }

  // MARK: - Code

  @Test func updateCodeChangesTheCode() async throws {
    try await lambda.make()
    let before = try await lambda.get()
    let dry = try await updateCode(1, #","DryRun":true"#)
    #expect(dry.status == 200)
    #expect(try await lambda.get().body == before.body)
    let answer = try await updateCode(1, #","Architectures":["arm64"]"#)
    #expect(answer["LastUpdateStatus"]?.string == "InProgress")
    #expect(answer["CodeSha256"] != before["CodeSha256"])
    #expect(answer["CodeSha256"] == dry["CodeSha256"])
    #expect(answer["Architectures"]?.array == [.string("arm64")])
  }

  @Test func updateCodeAndPublishAnswersTheVersion() async throws {
    try await lambda.make()
    let answer = try await updateCode(1, #","Publish":true"#)
    #expect(answer.status == 200)
    #expect(answer["FunctionArn"]?.string == "\(LambdaFixture.arn):1")
    #expect(answer["Version"]?.string == "1")
    #expect(answer["State"]?.string == "Pending")
    #expect(answer["StateReasonCode"]?.string == "Creating")
    #expect(answer["LastUpdateStatus"] == nil)
    let latest = try await lambda.get()
    #expect(latest["State"]?.string == "Active")
    #expect(latest["LastUpdateStatus"]?.string == "InProgress")
    #expect(latest["RevisionId"] != answer["RevisionId"])
    await lambda.settle()
    #expect(try await lambda.get("f%3A1")["State"]?.string == "Active")
  }

  @Test func createAndPublishAnswersTheVersion() async throws {
    let answer = try await lambda.create("f", #","Publish":true"#)
    #expect(answer.status == 201 && answer["Version"]?.string == "1")
    #expect(answer["FunctionArn"]?.string == LambdaFixture.arn, "as recorded from AWS")
    #expect(answer["State"]?.string == "Pending")
    #expect(answer["LastUpdateStatus"] == nil)
  }

  @Test func getFunctionLinksToThePackage() async throws {
    try await lambda.make("f", #","Tags":{"a":"b"}"#)
    let answer = try await lambda.call(.GET, "\(functions)/f")
    #expect(answer.names == ["Configuration", "Code", "Tags"])
    #expect(answer["Code"]?["RepositoryType"]?.string == "S3")
    #expect(answer["Code"]?["Location"]?.string?.hasPrefix("http://localhost:4566/_martlet/code/") == true)
    #expect(answer["Tags"] == .object([.init("a", .string("b"))]))
    let qualified = try await lambda.call(.GET, "\(functions)/f?Qualifier=%24LATEST")
    #expect(qualified.names == ["Configuration", "Code"])
    #expect(qualified["Configuration"]?["FunctionArn"]?.string == "\(LambdaFixture.arn):$LATEST")
    lambda.expect(
      try await lambda.call(.GET, "\(functions)/f?Qualifier=1221"), 404, "ResourceNotFoundException",
      "Function not found: \(LambdaFixture.arn):1221")
  }

  // MARK: - Versions

  @Test func publishes() async throws {
    try await lambda.make()
    let before = try await lambda.get()
    let first = try await publish(#"{"Description":"one"}"#)
    #expect(first.status == 201)
    #expect(first["FunctionArn"]?.string == "\(LambdaFixture.arn):1")
    #expect(first["Description"]?.string == "one")
    #expect(first["State"]?.string == "Active")
    #expect(first["LastUpdateStatus"]?.string == "Successful")
    let latest = try await lambda.get()
    #expect(latest["RevisionId"] != before["RevisionId"])
    #expect(latest["RevisionId"] != first["RevisionId"])
    #expect(latest["Description"]?.string == "")
    // Nothing has changed: the same version, whatever the description.
    let again = try await publish(#"{"Description":"two"}"#)
    #expect(again.status == 201)
    #expect(again.body == first.body)

    _ = try await updateCode(1)
    lambda.expect(
      try await publish(), 409, "ResourceConflictException",
      "The operation cannot be performed at this time. An update is in progress for resource: \(LambdaFixture.arn)")
    await lambda.settle()
    let second = try await publish()
    #expect(second["Version"]?.string == "2")
    #expect(second["CodeSha256"] != first["CodeSha256"])
    lambda.expect(
      try await publish(#"{"CodeSha256":"x"}"#), 400, "InvalidParameterValueException",
      "CodeSHA256 (x) is different from current CodeSHA256 in $LATEST (\(second["CodeSha256"]?.string ?? "")). "
        + "Please try again with the CodeSHA256 in $LATEST.")
  }

  @Test func numbersAreNeverUsedTwice() async throws {
    try await lambda.make()
    #expect(try await publish()["Version"]?.string == "1")
    #expect(try await lambda.call(.DELETE, "\(functions)/f?Qualifier=1").status == 204)
    #expect(try await publish()["Version"]?.string == "2")
  }

  @Test func listsVersionsInPages() async throws {
    try await lambda.make()
    for i in 1...11 {
      _ = try await update(#"{"Description":"\#(i)"}"#)
      await lambda.settle()
      _ = try await publish()
    }
    var versions: [String] = []
    var marker: String?
    repeat {
      let query = marker.map { "&Marker=\(Percent.encode($0))" } ?? ""
      let page = try await lambda.call(.GET, "\(functions)/f/versions?MaxItems=5\(query)")
      let elements = page["Versions"]?.array ?? []
      #expect(elements.count <= 5)
      versions += elements.compactMap { $0["Version"]?.string }
      #expect(elements.allSatisfy { $0["State"] == nil && $0["LastUpdateStatus"] == nil })
      marker = page["NextMarker"]?.string
    } while marker != nil
    #expect(versions == ["$LATEST"] + (1...11).map(String.init))
    let first = try await lambda.call(.GET, "\(functions)/f/versions?MaxItems=1")
    #expect(first["Versions"]?.array?.first?["FunctionArn"]?.string == "\(LambdaFixture.arn):$LATEST")
  }

  // MARK: - Lists and account

  @Test func listsFunctions() async throws {
    for name in ["b", "a-b", "a", "a_b"] { try await lambda.make(name) }
    _ = try await lambda.call(.POST, "\(functions)/a/versions", "{}")
    let all = try await lambda.call(.GET, "\(functions)/")
    #expect(all["Functions"]?.array?.compactMap { $0["FunctionName"]?.string } == ["a", "a-b", "a_b", "b"])
    #expect(all["NextMarker"] == nil)
    let page = try await lambda.call(.GET, "\(functions)?MaxItems=1")
    let marker = try #require(page["NextMarker"]?.string)
    let next = try await lambda.call(.GET, "\(functions)?MaxItems=2&Marker=\(Percent.encode(marker))")
    #expect(next["Functions"]?.array?.compactMap { $0["FunctionName"]?.string } == ["a-b", "a_b"])
    let versions = try await lambda.call(.GET, "\(functions)?FunctionVersion=ALL&MasterRegion=ALL")
    #expect(versions["Functions"]?.array?.count == 5)
    #expect(try await lambda.call(.GET, "\(functions)?MasterRegion=us-east-1")["Functions"]?.array?.count == 0)
    lambda.expect(
      try await lambda.call(.GET, "\(functions)?FunctionVersion=x"), 400, "ValidationException",
      "1 validation error detected: Value 'x' at 'functionVersion' failed to satisfy constraint: "
        + "Member must satisfy enum value set: [ALL]")
    #expect(try await lambda.call(.GET, "\(functions)?Marker=x").code == "InvalidParameterValueException")

    let account = try await lambda.call(.GET, "/2016-08-19/account-settings")
    #expect(account["AccountUsage"]?["FunctionCount"]?.integer == 4)
    let size = try #require(all["Functions"]?.array?.first?["CodeSize"]?.integer)
    #expect(account["AccountUsage"]?["TotalCodeSize"]?.integer == 5 * size)
    #expect(account["AccountLimit"]?["ConcurrentExecutions"]?.integer == 1000)
    #expect(account["AccountLimit"]?["TotalCodeSize"]?.integer == 80_530_636_800)
  }

  // MARK: - Deletion

  @Test func deletes() async throws {
    lambda.expect(
      try await lambda.call(.DELETE, "\(functions)/f?Qualifier=123"), 404, "ResourceNotFoundException",
      "Function not found: \(LambdaFixture.arn)")
    try await lambda.make()
    lambda.expect(
      try await lambda.call(.DELETE, "\(functions)/f?Qualifier=%24LATEST"), 400, "InvalidParameterValueException",
      "$LATEST version cannot be deleted without deleting the function.")
    lambda.expect(
      try await lambda.call(.DELETE, "\(functions)/f?Qualifier=live"), 400, "InvalidParameterValueException",
      "Deletion of aliases is not currently supported.")
    #expect(try await lambda.call(.DELETE, "\(functions)/f?Qualifier=123").status == 204)
    let answer = try await lambda.call(.DELETE, "\(functions)/f")
    #expect(answer.status == 204)
    #expect(answer.body == .null)
    lambda.expect(try await lambda.get(), 404, "ResourceNotFoundException", "Function not found: \(LambdaFixture.arn)")
    #expect(try await lambda.create().status == 201)
  }

  // MARK: - Tags

  @Test func tagsLive() async throws {
    try await lambda.make()
    #expect(try await lambda.call(.GET, tags + "f").body == .object([.init("Tags", .object([]))]))
    let before = try await lambda.get()["RevisionId"]
    #expect(try await lambda.call(.POST, tags + "f", #"{"Tags":{"A":"a","B":"b"}}"#).status == 204)
    #expect(try await lambda.get()["RevisionId"] != before)
    #expect(try await lambda.call(.POST, tags + "f", #"{"Tags":{"B":"x","C":"c"}}"#).status == 204)
    #expect(try await lambda.call(.DELETE, tags + "f?tagKeys=A&tagKeys=none").status == 204)
    let answer = try await lambda.call(.GET, tags + "f")
    #expect(answer["Tags"] == .object([.init("B", .string("x")), .init("C", .string("c"))]))
  }

  @Test func tagsRefuse() async throws {
    try await lambda.make()
    lambda.expect(
      try await lambda.call(.POST, tags + "f", #"{"Tags":{}}"#), 400, "InvalidParameterValueException",
      "An error occurred and the request cannot be processed.")
    lambda.expect(
      try await lambda.call(.POST, tags + "f%3A%24LATEST", #"{"Tags":{"a":"b"}}"#), 400,
      "InvalidParameterValueException",
      "Tags on function aliases and versions are not supported. Please specify a function ARN.")
    lambda.expect(
      try await lambda.call(.GET, tags + "g"), 404, "ResourceNotFoundException",
      "Function not found: arn:aws:lambda:us-east-1:111111111111:function:g")
    lambda.expect(
      try await lambda.call(.DELETE, tags + "f"), 400, "ValidationException",
      "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null")
    #expect(try await lambda.call(.GET, "/2017-03-31/tags/arn%3Aaws%3Asomething").code == "ValidationException")
    let many = (0..<50).map { #""k\#($0)":"v""# }.joined(separator: ",")
    #expect(try await lambda.call(.POST, tags + "f", #"{"Tags":{\#(many)}}"#).status == 204)
    lambda.expect(
      try await lambda.call(.POST, tags + "f", #"{"Tags":{"one":"more"}}"#), 400, "InvalidParameterValueException",
      "Number of tags exceeds resource tag limit.")
    #expect(try await lambda.create("g", #","Tags":{\#(many),"one":"more"}"#).message.hasPrefix("Number of tags"))
  }
}
