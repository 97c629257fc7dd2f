// Resource policies, statement by statement and as whole documents, against what AWS answers.
import MartletCore
import MartletLambda
import MartletWire
import NIOHTTP1
import Testing

@Suite struct PolicyTests {
  private let lambda: LambdaFixture
  private let policy = "/2015-03-31/functions/f/policy"
  private let resource = "/2026-07-09/resource-policy/arn%3Aaws%3Alambda%3Aus-east-1%3A111111111111%3Afunction%3A"
  private let missing = "The resource you requested does not exist."

  init() throws { lambda = try LambdaFixture() }

  /// AddPermission.
  /// - Parameter more: further members, beginning with a comma.
  private func add(
    _ id: String, principal: String = "s3.amazonaws.com", action: String = "lambda:InvokeFunction", _ more: String = "",
    query: String = ""
  ) async throws -> Answer {
    try await lambda.call(
      .POST, policy + query,
      #"{"StatementId":"\#(id)","Action":"\#(action)","Principal":"\#(principal)"\#(more)}"#)
  }

  private func remove(_ id: String, _ query: String = "") async throws -> Answer {
    try await lambda.call(.DELETE, "\(policy)/\(id)\(query)")
  }

  /// GetPolicy.
  private func get(_ query: String = "") async throws -> Answer { try await lambda.call(.GET, policy + query) }

  private func document(_ answer: Answer) throws -> JSONValue {
    try JSONValue(parsing: try #require(answer["Policy"]?.string))
  }

  private func put(_ document: String, _ target: String = "f", revision: String? = nil) async throws -> Answer {
    let body = JSONValue.members(("Policy", .string(document)), ("RevisionId", revision.map { .string($0) }))
    return try await lambda.call(.PUT, resource + target, body.text)
  }

  private func revision(_ query: String = "") async throws -> String {
    try #require(
      try await lambda.call(.GET, "/2015-03-31/functions/f/configuration\(query)")["RevisionId"]?.string)
  }

  private func makeVersionAndAlias() async throws {
    try await lambda.make()
    try #require(try await lambda.call(.POST, "/2015-03-31/functions/f/versions", "{}").status == 201)
    let alias = try await lambda.call(
      .POST, "/2015-03-31/functions/f/aliases", #"{"Name":"live","FunctionVersion":"1"}"#)
    try #require(alias.status == 201)
  }

  // MARK: - Statements

  /// What AddPermission answers is what GetPolicy shows.
  @Test(arguments: [
    (
      "s3.amazonaws.com", "lambda:InvokeFunction",
      #","SourceArn":"arn:aws:s3:::b","SourceAccount":"111111111111""#, #"{"Service":"s3.amazonaws.com"}"#,
      #","Condition":{"StringEquals":{"AWS:SourceAccount":"111111111111"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}"#
    ),
    ("222222222222", "lambda:*", "", #"{"AWS":"arn:aws:iam::222222222222:root"}"#, ""),
    ("arn:aws:iam::222222222222:role/r", "*", "", #"{"AWS":"arn:aws:iam::222222222222:role/r"}"#, ""),
    (
      "*", "lambda:InvokeFunction", #","EventSourceToken":"amzn1.ask""#, #""*""#,
      #","Condition":{"StringEquals":{"lambda:EventSourceToken":"amzn1.ask"}}"#
    ),
    (
      "*", "lambda:InvokeFunctionUrl", #","FunctionUrlAuthType":"NONE","PrincipalOrgID":"o-1234567890""#, #""*""#,
      #","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE","aws:PrincipalOrgID":"o-1234567890"}}"#
    ),
    (
      "*", "lambda:InvokeFunction", #","InvokedViaFunctionUrl":true"#, #""*""#,
      #","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}"#
    ),
  ])
  func addsStatements(principal: String, action: String, more: String, shown: String, condition: String) async throws {
    try await lambda.make()
    let answer = try await add("s", principal: principal, action: action, more)
    #expect(answer.status == 201)
    #expect(answer.names == ["Statement"])
    let statement = try JSONValue(
      parsing: #"{"Sid":"s","Effect":"Allow","Principal":\#(shown),"Action":"\#(action)","#
        + #""Resource":"\#(LambdaFixture.arn)"\#(condition)}"#)
    #expect(try JSONValue(parsing: try #require(answer["Statement"]?.string)) == statement)
    let policy = try await get()
    #expect(policy.names == ["Policy", "RevisionId"])
    #expect(
      try document(policy)
        == .members(
          ("Version", .string("2012-10-17")), ("Id", .string("default")), ("Statement", .array([statement]))))
  }

  /// Function, versions and aliases have documents of their own, and revisions that change with them.
  @Test func documentsAreSeparate() async throws {
    try await makeVersionAndAlias()
    var revisions = (try await revision(), try await revision("?Qualifier=1"))
    #expect(try await add("s").status == 201)
    #expect(try await revision() != revisions.0)
    #expect(try await revision("?Qualifier=1") == revisions.1)
    revisions.0 = try await revision()
    #expect(try await add("s", query: "?Qualifier=1").status == 201)
    #expect(try await add("s", query: "?Qualifier=live").status == 201)
    #expect(try await revision() == revisions.0)
    #expect(try await revision("?Qualifier=1") != revisions.1)
    for (query, suffix) in [("", ""), ("?Qualifier=1", ":1"), ("?Qualifier=live", ":live")] {
      let answer = try await get(query)
      let statements = try document(answer)["Statement"]?.array ?? []
      #expect(statements.map { $0["Resource"]?.string } == [LambdaFixture.arn + suffix])
    }
    #expect(try await get()["RevisionId"]?.string == revisions.0)
    #expect(try await get("?Qualifier=1")["RevisionId"]?.string == (try await revision("?Qualifier=1")))
    let alias = try await lambda.call(.GET, "/2015-03-31/functions/f/aliases/live")
    #expect(try await get("?Qualifier=live")["RevisionId"] == alias["RevisionId"])
    // What is attached goes with what it is attached to.
    #expect(try await lambda.call(.DELETE, "/2015-03-31/functions/f/aliases/live").status == 204)
    lambda.expect(try await get("?Qualifier=live"), 404, "ResourceNotFoundException", missing)
    #expect(try await lambda.call(.DELETE, "/2015-03-31/functions/f?Qualifier=1").status == 204)
    lambda.expect(try await get("?Qualifier=1"), 404, "ResourceNotFoundException", missing)
    #expect(try await get().status == 200)
    #expect(try await lambda.call(.DELETE, "/2015-03-31/functions/f").status == 204)
    try await lambda.make()
    lambda.expect(try await get(), 404, "ResourceNotFoundException", missing)
  }

  @Test func addRefuses() async throws {
    try await lambda.make()
    let (arn, missing) = (LambdaFixture.arn, "ResourceNotFoundException")
    lambda.expect(
      try await add("s", query: "?Qualifier=$LATEST"), 400, "InvalidParameterValueException",
      "We currently do not support adding policies for $LATEST.")
    for principal in ["invalid.nonaws.com", "arn:aws:s3:::b", "123", ".amazonaws.com", "S3.amazonaws.com"] {
      lambda.expect(
        try await add("s", principal: principal), 400, "InvalidParameterValueException",
        "The provided principal was invalid. Please check the principal and try again.")
    }
    lambda.expect(try await add("s", query: "?Qualifier=42"), 404, missing, "Function not found: \(arn):42")
    lambda.expect(
      try await add("s", query: "?Qualifier=live"), 404, missing, "Cannot find alias arn: \(arn):live")
    lambda.expect(
      try await add("s", query: "?Qualifier=a-$-b"), 404, missing, "Function not found: \(arn):a-$-b")
    lambda.expect(
      try await add("s", #","FunctionUrlAuthType":"NONE""#), 400, "InvalidParameterValueException",
      "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
    lambda.expect(
      try await add("s", #","RevisionId":"wrong""#), 412, "PreconditionFailedException",
      "The Revision Id provided does not match the latest Revision Id. "
        + "Call the GetPolicy API to retrieve the latest Revision Id")
    #expect(try await add("s", #","RevisionId":"\#(try await revision())""#).status == 201)
    let other = "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
    #expect(try await add("t", #","RevisionId":"wrong""#).message.hasSuffix(other))
    lambda.expect(
      try await add("s"), 409, "ResourceConflictException",
      "The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement."
    )
    let unknown = try await lambda.call(
      .POST, "/2015-03-31/functions/g/policy",
      #"{"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"s3.amazonaws.com"}"#)
    lambda.expect(unknown, 404, missing, "Function not found: arn:aws:lambda:us-east-1:111111111111:function:g")
  }

  /// RemovePermission: a policy without statements is none.
  @Test func removes() async throws {
    try await lambda.make()
    let notFound = "ResourceNotFoundException"
    lambda.expect(try await remove("s"), 404, notFound, "No policy is associated with the given resource.")
    lambda.expect(
      try await lambda.call(.DELETE, "/2015-03-31/functions/g/policy/s"), 404, notFound,
      "No policy found for: arn:aws:lambda:us-east-1:111111111111:function:g")
    lambda.expect(
      try await remove("s", "?Qualifier=live"), 404, notFound, "Cannot find alias arn: \(LambdaFixture.arn):live")
    _ = try await add("a")
    _ = try await add("b")
    let before = try await revision()
    lambda.expect(try await remove("c"), 404, notFound, "Statement c is not found in resource policy.")
    lambda.expect(
      try await remove("a", "?RevisionId=wrong"), 412, "PreconditionFailedException",
      "The Revision Id provided does not match the latest Revision Id. "
        + "Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
    #expect(try await revision() == before)
    #expect(try await remove("a", "?RevisionId=\(before)").status == 204)
    #expect(try await revision() != before)
    #expect(try document(try await get())["Statement"]?.array?.map { $0["Sid"]?.string } == ["b"])
    #expect(try await remove("b").status == 204)
    lambda.expect(try await get(), 404, notFound, missing)
  }

  @Test func policiesAreLimited() async throws {
    try await lambda.make()
    let source = #","SourceArn":"arn:aws:s3:::\#(String(repeating: "b", count: 9000))""#
    #expect(try await add("a", source).status == 201)
    #expect(try await add("b", source).status == 201)
    let answer = try await add("c", source)
    #expect(answer.status == 400)
    #expect(answer.code == "PolicyLengthExceededException")
    #expect(answer.message.hasPrefix("The final policy size ("))
    #expect(answer.message.hasSuffix(") is bigger than the limit (20480)."))
    #expect(try document(try await get())["Statement"]?.array?.count == 2)
  }

  // MARK: - Documents

  /// PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy and the statements of AddPermission are one document.
  @Test func documentsAreShared() async throws {
    try await lambda.make()
    let text =
      #" {"Statement": {"Sid":"own","Effect":"Deny","NotPrincipal":{"AWS":["111111111111"]},"NotAction":["lambda:GetFunction"],"#
      + #" "Resource":"*","Condition":{"NumericLessThan":{"k":[1,2.5]},"Bool":{"b":true}}},"Version":"2008-10-17"} "#
    let answer = try await put(text)
    #expect(answer.status == 200)
    #expect(try document(answer) == JSONValue(parsing: text))
    #expect(answer["RevisionId"]?.string == (try await revision()))
    let got = try await lambda.call(.GET, resource + "f")
    #expect(got.body == answer.body)
    #expect(try await get().body == answer.body)
    #expect(try await add("own").status == 409)
    #expect(try await add("more").status == 201)
    let both = try document(try await get())
    #expect(both["Version"]?.string == "2008-10-17")
    #expect(both["Statement"]?.array?.first == (try JSONValue(parsing: text))["Statement"])
    #expect(both["Statement"]?.array?.map { $0["Sid"]?.string } == ["own", "more"])
    #expect(try await remove("own").status == 204)
    lambda.expect(
      try await lambda.call(
        .DELETE, resource + "f?RevisionId=00000000-0000-0000-0000-000000000000"), 412, "PreconditionFailedException",
      "The Revision Id provided does not match the latest Revision Id. "
        + "Call the GetResourcePolicy API to retrieve the latest Revision Id")
    #expect(try await put(text, revision: "00000000-0000-0000-0000-000000000000").status == 412)
    #expect(try await put(text, revision: try await revision()).status == 200)
    #expect(try await lambda.call(.DELETE, resource + "f?RevisionId=\(try await revision())").status == 204)
    lambda.expect(try await lambda.call(.DELETE, resource + "f"), 404, "ResourceNotFoundException", missing)
    lambda.expect(try await lambda.call(.GET, resource + "f"), 404, "ResourceNotFoundException", missing)
  }

  @Test func documentsBelongToQualifiers() async throws {
    try await makeVersionAndAlias()
    let text = #"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"*","Resource":"*"}]}"#
    for target in ["f", "f%3A1", "f%3Alive"] { #expect(try await put(text, target).status == 200) }
    #expect(try await lambda.call(.DELETE, resource + "f%3A1").status == 204)
    #expect(try await lambda.call(.GET, resource + "f%3A1").status == 404)
    #expect(try await get("?Qualifier=live").status == 200)
    #expect(try await put(text, "f%3A%24LATEST").message == "We currently do not support adding policies for $LATEST.")
    #expect(try await put(text, "f%3A7").message == "Function not found: \(LambdaFixture.arn):7")
    #expect(try await put(text, "g").status == 404)
    let other = resource.replacing("us-east-1", with: "eu-west-1")
    #expect(
      try await lambda.call(.GET, other + "f").message
        == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
    let runtime = resource.replacing("function%3A", with: "runtime%2Fr")
    lambda.expect(try await lambda.call(.GET, runtime), 404, "ResourceNotFoundException", missing)
  }

  @Test(arguments: [
    ("nonsense", "it is not JSON"), ("[]", "it must be a JSON object"), ("{}", "Statement is missing"),
    (#"{"Statement":[]}"#, "Statement must not be empty"), (#"{"Statement":[1]}"#, "a statement must be a JSON object"),
    (#"{"Statement":[],"Statement":[]}"#, "it has Statement twice"), (#"{"Statements":[]}"#, "it must not have"),
    (#"{"Version":"2020-01-01","Statement":[]}"#, "Version must be"), (#"{"Id":1,"Statement":[]}"#, "Id must be"),
    (#"{"Statement":{"Effect":"Maybe"}}"#, "Effect must be Allow or Deny"),
    (#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#, "either Principal or NotPrincipal"),
    (#"{"Statement":{"Effect":"Allow","Principal":"*","NotPrincipal":"*"}}"#, "either Principal or NotPrincipal"),
    (#"{"Statement":{"Effect":"Deny","Principal":"x","Action":"*","Resource":"*"}}"#, "a Principal must be"),
    (#"{"Statement":{"Effect":"Deny","Principal":{},"Action":"*","Resource":"*"}}"#, "a Principal must not be empty"),
    (#"{"Statement":{"Effect":"Deny","Principal":{"X":"*"},"Action":"*","Resource":"*"}}"#, "must not have X"),
    (#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}"#, "none of Lambda's"),
    (#"{"Statement":{"Effect":"Deny","Principal":"*","Action":[],"Resource":"*"}}"#, "Action must not be empty"),
    (#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":7}}"#, "Resource must hold strings"),
    (#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Sid":""}}"#, "Sid must be"),
    (
      #"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":[]}}"#, "a Condition must"
    ),
    (
      #"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":1}}}"#,
      "Bool of a Condition"
    ),
    (
      #"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"k":{}}}}}"#,
      "the values of k"
    ),
  ])
  func refusesWhatIsNoPolicy(text: String, reason: String) async throws {
    try await lambda.make()
    let answer = try await put(text)
    #expect(answer.status == 400)
    #expect(answer.code == "InvalidParameterValueException")
    #expect(answer.message.hasPrefix("The provided policy document is not valid: "))
    #expect(answer.message.contains(reason), "\(answer.message)")
    #expect(try await get().status == 404)
  }

  @Test(arguments: [
    (#""Principal":"*""#, true), (#""Principal":{"AWS":["111111111111","*"]}"#, true), (#""NotPrincipal":"*""#, true),
    (#""Principal":"*","Condition":{}"#, true), (#""Principal":{"AWS":"111111111111"}"#, false),
    (#""Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, false),
    (#""Principal":{"Service":"s3.amazonaws.com"}"#, false),
  ])
  func publicDocumentsAreRefused(members: String, isPublic: Bool) async throws {
    try await lambda.make()
    let text = #"{"Statement":[{"Effect":"Allow",\#(members),"Action":"lambda:InvokeFunction","Resource":"*"}]}"#
    let answer = try await put(text)
    #expect(answer.status == (isPublic ? 400 : 200))
    #expect(answer.code == (isPublic ? "PublicPolicyException" : nil))
    #expect(try await put(text.replacing("Allow", with: "Deny")).status == 200)
  }

  // MARK: - Properties

  /// Whatever is added and removed, the document holds what was added and not removed, in that order.
  @Test(arguments: 0..<12) func additionsAndRemovalsAddUp(seed: UInt64) async throws {
    try await makeVersionAndAlias()
    var random = Dice(seed: seed)
    let queries = ["", "?Qualifier=1", "?Qualifier=live"]
    var expected: [String: [(id: String, statement: JSONValue)]] = [:]
    for _ in 0..<40 {
      let query = queries[Int(random.next() % 3)]
      let id = "s\(random.next() % 6)"
      let isThere = expected[query]?.contains { $0.id == id } == true
      if random.next() % 3 > 0 {
        let account = String(100_000_000_000 + random.next() % 1000)
        let more = random.next() % 2 == 0 ? "" : #","SourceAccount":"\#(account)""#
        let answer = try await add(id, principal: account, more, query: query)
        #expect(answer.status == (isThere ? 409 : 201))
        if isThere { continue }
        let suffix = query.isEmpty ? "" : ":" + query.dropFirst("?Qualifier=".count)
        let condition = more.isEmpty ? "" : #","Condition":{"StringEquals":{"AWS:SourceAccount":"\#(account)"}}"#
        let statement = try JSONValue(
          parsing: #"{"Sid":"\#(id)","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::\#(account):root"},"#
            + #""Action":"lambda:InvokeFunction","Resource":"\#(LambdaFixture.arn)\#(suffix)"\#(condition)}"#)
        expected[query, default: []].append((id, statement))
      } else {
        #expect(try await remove(id, query).status == (isThere ? 204 : 404))
        expected[query]?.removeAll { $0.id == id }
      }
    }
    for query in queries {
      let answer = try await get(query)
      let statements = (expected[query] ?? []).map(\.statement)
      guard !statements.isEmpty else {
        #expect(answer.status == 404)
        continue
      }
      #expect(try document(answer)["Statement"] == .array(statements))
    }
  }

  /// No damaged document does harm: it is refused, or kept as it is.
  @Test func damagedDocumentsDoNoHarm() async throws {
    try await lambda.make()
    let text =
      #"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":"111111111111"},"#
      + #""Action":["lambda:InvokeFunction"],"Resource":"*","Condition":{"StringEquals":{"k":["v",1,true]}}}]}"#
    var random = Dice(seed: 7)
    var kept = 0
    for _ in 0..<1500 {
      let damaged = String(decoding: random.mutated(Array(text.utf8)), as: UTF8.self)
      let answer = try await put(damaged)
      guard answer.status == 200 else {
        let isRefused = ["InvalidParameterValueException", "PublicPolicyException", "ValidationException"]
          .contains(answer.code)
        #expect(answer.status == 400 && isRefused, "\(answer.status) \(answer.message) for \(damaged)")
        continue
      }
      kept += 1
      let shown = try document(try await get())
      #expect(try shown == JSONValue(parsing: damaged))
    }
    #expect(kept > 50)
  }
}

/// Random numbers that a seed brings back.
private struct Dice {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 2_862_933_555_777_941_757 &+ 3_037_000_493 }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }

  /// `bytes` with one or two of them changed, removed or added.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var out = bytes
    for _ in 0...(next() % 2) {
      let index = Int(next() % UInt64(out.count))
      switch next() % 3 {
      case 0: out[index] = UInt8(32 + next() % 95)
      case 1: out.remove(at: index)
      default: out.insert(UInt8(32 + next() % 95), at: index)
      }
    }
    return out
  }
}
