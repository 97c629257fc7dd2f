// Layers: their versions, their policies, and functions that use them, against what AWS answers.
import MartletCore
import MartletLambda
import MartletStore
import MartletWire
import NIOHTTP1
import Testing

@Suite struct LayerTests {
  private let lambda: LambdaFixture
  private let layers = "/2018-10-31/layers"
  private let arn = "arn:aws:lambda:us-east-1:111111111111:layer:l"

  init() throws { lambda = try LambdaFixture() }

  /// - Parameter more: further members, beginning with a comma.
  private func publish(_ name: String = "l", zip: Int = 0, _ more: String = "") async throws -> Answer {
    try await lambda.call(
      .POST, "\(layers)/\(name)/versions", #"{"Content":{"ZipFile":"\#(LambdaFixture.zips[zip])"}\#(more)}"#)
  }

  private func get(_ path: String) async throws -> Answer { try await lambda.call(.GET, "\(layers)/\(path)") }

  private func delete(_ version: Int) async throws -> Answer {
    try await lambda.call(.DELETE, "\(layers)/l/versions/\(version)")
  }

  private func add(_ body: String, _ query: String = "", path: String = "l/versions/1") async throws -> Answer {
    try await lambda.call(.POST, "\(layers)/\(path)/policy\(query)", body)
  }

  private func statement(_ id: String, _ principal: String = "*", _ more: String = "") -> String {
    #"{"StatementId":"\#(id)","Action":"lambda:GetLayerVersion","Principal":"\#(principal)"\#(more)}"#
  }

  private func numbers(_ answer: Answer) -> [Int] {
    (answer["LayerVersions"]?.array ?? []).compactMap { $0["Version"]?.integer }
  }

  // MARK: - Versions

  /// PublishLayerVersion, GetLayerVersion and GetLayerVersionByArn show the same.
  @Test func publishAnswersTheVersion() async throws {
    let answer = try await publish(
      "l", zip: 0,
      #","Description":"d","LicenseInfo":"MIT","CompatibleRuntimes":["python3.12"],"CompatibleArchitectures":["x86_64"]"#
    )
    #expect(answer.status == 201)
    #expect(
      answer.names == [
        "Content", "LayerArn", "LayerVersionArn", "Description", "CreatedDate", "Version", "CompatibleRuntimes",
        "CompatibleArchitectures", "LicenseInfo",
      ])
    #expect(answer["LayerArn"]?.string == arn)
    #expect(answer["LayerVersionArn"]?.string == "\(arn):1")
    #expect(answer["Version"]?.integer == 1)
    #expect(answer["CreatedDate"]?.string?.hasSuffix("+0000") == true)
    #expect(answer["CompatibleRuntimes"] == .array([.string("python3.12")]))
    #expect(answer["LicenseInfo"]?.string == "MIT")
    #expect(answer["Content"]?["CodeSize"]?.integer == 118)
    #expect(Set((answer["Content"]?.members ?? []).map(\.name)) == ["Location", "CodeSha256", "CodeSize"])
    for path in ["l/versions/1", "arn%3Aaws%3Alambda%3Aus-east-1%3A111111111111%3Alayer%3Al/versions/1"] {
      #expect(try await get(path).body["CreatedDate"] == answer["CreatedDate"])
    }
    let byARN = try await lambda.call(.GET, "\(layers)?find=LayerVersion&Arn=\(arn):1")
    #expect(byARN.status == 200)
    #expect(byARN.names == answer.names)
    #expect(byARN["Content"]?["CodeSha256"] == answer["Content"]?["CodeSha256"])
    #expect(byARN["Description"]?.string == "d")
  }

  /// What is left out is not shown, except for the description; empty lists are shown.
  @Test func publishShowsWhatWasGiven() async throws {
    #expect(
      try await publish().names == [
        "Content", "LayerArn", "LayerVersionArn", "Description", "CreatedDate", "Version",
      ])
    let second = try await publish("l", zip: 1, #","CompatibleRuntimes":[],"CompatibleArchitectures":[]"#)
    #expect(second["Description"]?.string == "")
    #expect(second["CompatibleRuntimes"] == .array([]))
    #expect(second["CompatibleArchitectures"] == .array([]))
    #expect(second["Version"]?.integer == 2)
  }

  @Test func publishRefuses() async throws {
    let runtimes =
      "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
      + "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, "
      + "java11, dotnet6, nodejs18.x, provided.al2, java8.al2"
    lambda.expect(
      try await publish(
        "l", zip: 0,
        #","CompatibleRuntimes":["bad","nodejs20.x"],"CompatibleArchitectures":["bad","x86_64"]"#),
      400, "ValidationException",
      "2 validation errors detected: Value '[bad, nodejs20.x]' at 'compatibleRuntimes' failed to satisfy constraint: "
        + "Member must satisfy enum value set: [\(runtimes)]; Value '[bad, x86_64]' at 'compatibleArchitectures' failed "
        + "to satisfy constraint: Member must satisfy constraint: "
        + "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]")
    lambda.expect(
      try await lambda.call(.POST, "\(layers)/l/versions", "{}"), 400, "ValidationException",
      "1 validation error detected: Value null at 'content' failed to satisfy constraint: Member must not be null")
    lambda.expect(
      try await lambda.call(.POST, "\(layers)/l/versions", #"{"Content":{"ZipFile":"bm90IGEgemlw"}}"#), 400,
      "InvalidParameterValueException",
      "Could not unzip uploaded file. Please check your file, then try to upload again.")
    lambda.expect(
      try await publish("l", zip: 0, #","Description":"\#(String(repeating: "d", count: 257))""#), 400,
      "ValidationException",
      "1 validation error detected: Value '\(String(repeating: "d", count: 257))' at 'description' failed to satisfy "
        + "constraint: Member must have length less than or equal to 256")
    #expect(try await publish("a.b").message.contains("at 'layerName' failed to satisfy constraint"))
    #expect(
      try await publish("l", zip: 0, #","LicenseInfo":"\#(String(repeating: "d", count: 513))""#).message
        .contains("at 'licenseInfo' failed"))
    lambda.expect(
      try await lambda.call(.POST, "\(layers)/l/versions", "", bodyExceedsLimit: true), 413,
      "RequestEntityTooLargeException",
      "Request must be smaller than 70167211 bytes for the PublishLayerVersion operation")
    #expect(
      try await lambda.call(.POST, "\(layers)/l/versions", #"{"Content":{"S3Bucket":"bbb","S3Key":"k"}}"#).status == 501
    )
    #expect(lambda.layers.all.isEmpty)
  }

  @Test func wrongVersionsAreRefused() async throws {
    _ = try await publish()
    for path in ["l/versions/0", "l/versions/-1"] {
      lambda.expect(
        try await get(path), 400, "InvalidParameterValueException", "Layer Version Cannot be less than 1")
    }
    lambda.expect(try await delete(-1), 400, "InvalidParameterValueException", "Layer Version Cannot be less than 1")
    for path in ["l/versions/2", "none/versions/1"] {
      lambda.expect(
        try await get(path), 404, "ResourceNotFoundException", "The resource you requested does not exist.")
    }
    #expect(try await get("l/versions/x").code == "SerializationException")
    lambda.expect(
      try await lambda.call(.GET, "\(layers)?find=LayerVersion&Arn=\(arn):2"), 404, "ResourceNotFoundException",
      "The resource you requested does not exist.")
    lambda.expect(
      try await lambda.call(.GET, "\(layers)?find=LayerVersion&Arn=\(arn)"), 400, "ValidationException",
      "1 validation error detected: Value '\(arn)' at 'arn' failed to satisfy constraint: Member must satisfy regular "
        + #"expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:"#
        + #"\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"#)
    #expect(
      try await lambda.call(.GET, "\(layers)?find=LayerVersion").message
        == "1 validation error detected: Value null at 'arn' failed to satisfy constraint: Member must not be null")
  }

  /// DeleteLayerVersion is idempotent, and a number never comes back.
  @Test func numbersAreNotUsedAgain() async throws {
    for _ in 1...2 { _ = try await publish() }
    for _ in 1...2 { #expect(try await delete(2).status == 204) }
    #expect(try await delete(1).status == 204)
    #expect(try await delete(7).status == 204)
    #expect(try await lambda.call(.DELETE, "\(layers)/none/versions/1").status == 204)
    #expect(numbers(try await get("l/versions")) == [])
    #expect(try await get("")["Layers"] == .array([]))
    #expect(try await publish()["Version"]?.integer == 3)
    #expect(lambda.layers.catalogue.find(ResourceKey(place: lambda.place, name: "none")) == nil)
  }

  // MARK: - Lists

  /// ListLayerVersions and ListLayers.
  @Test func listsFilterAndPage() async throws {
    _ = try await publish("l", zip: 0, #","CompatibleRuntimes":["python3.12"],"CompatibleArchitectures":["x86_64"]"#)
    _ = try await publish("l", zip: 1, #","CompatibleRuntimes":["python3.13"],"CompatibleArchitectures":["arm64"]"#)
    _ = try await publish("l", zip: 2)
    _ = try await publish("m")
    #expect(numbers(try await get("l/versions")) == [3, 2, 1])
    #expect(numbers(try await get("l/versions?CompatibleRuntime=python3.12")) == [1])
    #expect(numbers(try await get("l/versions?CompatibleArchitecture=arm64")) == [2])
    #expect(numbers(try await get("l/versions?CompatibleArchitecture=arm64&CompatibleRuntime=python3.12")) == [])
    #expect(numbers(try await get("none/versions")) == [])
    let first = try await get("l/versions?MaxItems=2")
    let marker = try #require(first["NextMarker"]?.string)
    let second = try await get("l/versions?MaxItems=2&Marker=\(Percent.encode(marker))")
    #expect(numbers(first) == [3, 2] && numbers(second) == [1])
    #expect(second["NextMarker"] == nil)

    func shown(_ answer: Answer) -> [String] {
      (answer["Layers"]?.array ?? []).map {
        "\($0["LayerName"]?.string ?? "") \($0["LatestMatchingVersion"]?["Version"]?.integer ?? 0)"
      }
    }
    #expect(shown(try await get("")) == ["l 3", "m 1"])
    #expect(shown(try await get("?CompatibleRuntime=python3.13")) == ["l 2"])
    let page = try await get("?MaxItems=1")
    #expect(shown(page) == ["l 3"])
    let next = try #require(page["NextMarker"]?.string)
    #expect(shown(try await get("?MaxItems=1&Marker=\(Percent.encode(next))")) == ["m 1"])
    let layer = try #require(try await get("")["Layers"]?.array?.first)
    #expect(Set((layer.members ?? []).map(\.name)) == ["LayerName", "LayerArn", "LatestMatchingVersion"])
    #expect(layer["LatestMatchingVersion"]?["LayerVersionArn"]?.string == "\(arn):3")
  }

  @Test(arguments: ["", "l/versions"])
  func listsRefuse(path: String) async throws {
    lambda.expect(
      try await get("\(path)?CompatibleArchitecture=bad"), 400, "ValidationException",
      "1 validation error detected: Value 'bad' at 'compatibleArchitecture' failed to satisfy constraint: "
        + "Member must satisfy enum value set: [x86_64, arm64]")
    let text = try await get("\(path)?CompatibleRuntime=bad").message
    #expect(text.contains("Value 'bad' at 'compatibleRuntime' failed to satisfy constraint: Member must satisfy enum "))
    #expect(text.contains("[ruby3.5, ruby2.6,") && text.hasSuffix("python3.6, python2.7]"))
    #expect(try await get("\(path)?CompatibleRuntime=java17.al2023").status == 200)
    #expect(try await get("\(path)?MaxItems=51").code == "ValidationException")
    #expect(try await get("\(path)?Marker=x").code == "InvalidParameterValueException")
  }

  // MARK: - Policies

  /// AddLayerVersionPermission and GetLayerVersionPolicy.
  @Test func policiesAreShown() async throws {
    _ = try await publish()
    let first = try await add(statement("s1"))
    #expect(first.status == 201)
    #expect(
      first["Statement"]?.string
        == #"{"Sid":"s1","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"\#(arn):1"}"#)
    let second = try await add(statement("s2", "222222222222"))
    #expect(
      second["Statement"]?.string?.contains(#""Principal":{"AWS":"arn:aws:iam::222222222222:root"}"#) == true)
    #expect(second["RevisionId"] != first["RevisionId"])
    let third = try await add(statement("s3", "*", #","OrganizationId":"o-0123456789""#))
    #expect(
      third["Statement"]?.string?.contains(#""Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-0123456789"}}"#)
        == true)
    let shown = try await get("l/versions/1/policy")
    #expect(shown["RevisionId"] == third["RevisionId"])
    let policy = try JSONValue(parsing: try #require(shown["Policy"]?.string))
    #expect(policy["Version"]?.string == "2012-10-17" && policy["Id"]?.string == "default")
    #expect((policy["Statement"]?.array ?? []).compactMap { $0["Sid"]?.string } == ["s1", "s2", "s3"])
    // RemoveLayerVersionPermission, until nothing is left.
    for id in ["s1", "s2", "s3"] {
      #expect(try await lambda.call(.DELETE, "\(layers)/l/versions/1/policy/\(id)").status == 204)
    }
    lambda.expect(
      try await get("l/versions/1/policy"), 404, "ResourceNotFoundException",
      "No policy is associated with the given resource.")
  }

  @Test func policiesRefuse() async throws {
    _ = try await publish()
    let none = "No policy is associated with the given resource."
    lambda.expect(try await get("l/versions/1/policy"), 404, "ResourceNotFoundException", none)
    for path in ["none/versions/1", "l/versions/2"] {
      let missing = "Layer version \(arn.dropLast())\(path.replacing("/versions/", with: ":")) does not exist."
      lambda.expect(try await get("\(path)/policy"), 404, "ResourceNotFoundException", missing)
      lambda.expect(try await add(statement("s"), path: path), 404, "ResourceNotFoundException", missing)
      lambda.expect(
        try await lambda.call(.DELETE, "\(layers)/\(path)/policy/s"), 404, "ResourceNotFoundException", missing)
    }
    let revision = try #require(try await add(statement("s"))["RevisionId"]?.string)
    lambda.expect(
      try await add(statement("s")), 409, "ResourceConflictException",
      "The statement id (s) provided already exists. "
        + "Please provide a new statement id, or remove the existing statement.")
    let mismatch =
      "The Revision Id provided does not match the latest Revision Id. "
      + "Call the GetLayerPolicy API to retrieve the latest Revision Id"
    lambda.expect(
      try await add(statement("t"), "?RevisionId=wrong"), 412, "PreconditionFailedException", mismatch)
    lambda.expect(
      try await lambda.call(.DELETE, "\(layers)/l/versions/1/policy/s?RevisionId=wrong"), 412,
      "PreconditionFailedException", mismatch)
    lambda.expect(
      try await lambda.call(.DELETE, "\(layers)/l/versions/1/policy/t"), 404, "ResourceNotFoundException",
      "Statement t is not found in resource policy.")
    lambda.expect(
      try await add(#"{"StatementId":"t","Action":"*","Principal":"*"}"#), 400, "ValidationException",
      "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: "
        + "Member must satisfy regular expression pattern: lambda:GetLayerVersion")
    #expect(try await add(statement("a b")).message.contains("at 'statementId' failed"))
    #expect(try await add(statement("t", "someone")).message.contains("at 'principal' failed"))
    #expect(
      try await add(statement("t", "*", #","OrganizationId":"x""#)).message.contains("at 'organizationId' failed"))
    #expect(try await add("{}").message.hasPrefix("3 validation errors detected"))
    #expect(try await add(statement("t"), "?RevisionId=\(revision)").status == 201)
    #expect(try await get("l/versions/0/policy").message == "Layer Version Cannot be less than 1")
  }

  @Test func policiesHaveALimit() async throws {
    _ = try await publish()
    var answer = try await add(statement("s0"))
    for i in 1...300 where answer.status == 201 {
      answer = try await add(statement("s\(i)-\(String(repeating: "x", count: 90))"))
    }
    #expect(answer.status == 400)
    #expect(answer.code == "PolicyLengthExceededException")
    #expect(answer.message.hasPrefix("The final policy size (20"))
    #expect(answer.message.hasSuffix("is bigger than the limit (20480)."))
  }

  /// Another account sees and uses a version only if its policy says so.
  @Test func otherAccountsNeedPermission() async throws {
    let other = "arn:aws:lambda:us-east-1:222222222222:layer:l"
    let owner = Place(account: try #require(Account("222222222222")), region: lambda.place.region)
    func call(_ method: HTTPMethod, _ path: String, _ body: String = "") async throws -> Answer {
      try await lambda.call(method, "\(layers)/\(path)", body, place: owner)
    }
    func denied(_ answer: Answer, _ action: String, _ resource: String) {
      lambda.expect(
        answer, 403, "AccessDeniedException",
        "User: arn:aws:iam::111111111111:root is not authorized to perform: lambda:\(action) on resource: \(resource) "
          + "because no resource-based policy allows the lambda:\(action) action")
    }
    let name = Percent.encode(other)
    let zip = #"{"Content":{"ZipFile":"\#(LambdaFixture.zips[0])"}}"#
    #expect(try await call(.POST, "l/versions", zip).status == 201)
    denied(try await get("\(name)/versions/1"), "GetLayerVersion", "\(other):1")
    denied(try await get("\(name)/versions/7"), "GetLayerVersion", "\(other):7")
    denied(try await get("\(name)/versions"), "ListLayerVersions", other)
    denied(try await lambda.call(.POST, "\(layers)/\(name)/versions", zip), "PublishLayerVersion", other)
    denied(try await lambda.call(.DELETE, "\(layers)/\(name)/versions/1"), "DeleteLayerVersion", other)
    denied(try await lambda.create("f", #","Layers":["\#(other):1"]"#), "GetLayerVersion", "\(other):1")
    for (id, principal, more) in [
      ("a", "333333333333", ""), ("b", "*", #","OrganizationId":"o-0123456789""#),
    ] {
      #expect(try await call(.POST, "l/versions/1/policy", statement(id, principal, more)).status == 201)
      denied(try await get("\(name)/versions/1"), "GetLayerVersion", "\(other):1")
    }
    for (id, principal) in [("c", "111111111111"), ("d", "*"), ("e", "arn:aws:iam::111111111111:root")] {
      #expect(try await call(.POST, "l/versions/1/policy", statement(id, principal)).status == 201)
      #expect(try await get("\(name)/versions/1").status == 200)
      let made = try await lambda.create("f\(id)", #","Layers":["\#(other):1"]"#)
      #expect(made["Layers"]?.array?.first?["Arn"]?.string == "\(other):1")
      #expect(try await call(.DELETE, "l/versions/1/policy/\(id)").status == 204)
    }
    // A layer of the other account in another region is out of reach, whatever its policy says.
    denied(
      try await lambda.create("g", #","Layers":["\#(other.replacing("us-east-1", with: "eu-west-1")):1"]"#),
      "GetLayerVersion", "\(other.replacing("us-east-1", with: "eu-west-1")):1")
  }

  // MARK: - Functions

  private func configure(_ body: String) async throws -> Answer {
    let answer = try await lambda.call(.PUT, "/2015-03-31/functions/f/configuration", body)
    await lambda.settle()
    return answer
  }

  @Test func functionsShowTheirLayers() async throws {
    for i in 0...1 { _ = try await publish("l", zip: i) }
    _ = try await publish("m", zip: 2)
    let other = arn.dropLast() + "m:1"
    let created = try await lambda.create("f", #","Layers":["\#(arn):2","\#(other)"]"#)
    #expect(created.status == 201)
    let layers = try #require(created["Layers"]?.array)
    #expect(layers.compactMap { $0["Arn"]?.string } == ["\(arn):2", String(other)])
    #expect(layers.allSatisfy { $0["CodeSize"]?.integer == 118 && $0.members?.count == 2 })
    await lambda.settle()
    #expect(try await lambda.get()["Layers"]?.array == layers)
    let listed = try await lambda.call(.GET, "/2015-03-31/functions")
    #expect(listed["Functions"]?.array?.first?["Layers"]?.array == layers)
    // They stay until the request speaks of them, and an empty list removes them.
    #expect(try await configure(#"{"Timeout":4}"#)["Layers"]?.array == layers)
    let versions = "/2015-03-31/functions/f/versions"
    #expect(try await lambda.call(.POST, versions, "{}")["Version"]?.string == "1")
    #expect(try await configure(#"{"Layers":["\#(arn):1"]}"#)["Layers"]?.array?.count == 1)
    #expect(try await lambda.call(.POST, versions, "{}")["Version"]?.string == "2", "a layer is a change")
    #expect(try await configure(#"{"Layers":[]}"#)["Layers"] == nil)
    #expect(try await lambda.get()["Layers"] == nil)
    #expect(try await lambda.get("f:1")["Layers"]?.array == layers)
    let usage = try await lambda.call(.GET, "/2016-08-19/account-settings")["AccountUsage"]
    #expect(usage?["TotalCodeSize"]?.integer == 118 * 6, "three versions of the function and three of layers")
  }

  @Test func layersOfFunctionsAreChecked() async throws {
    for i in 0...1 { _ = try await publish("l", zip: i) }
    try await lambda.make("f", #","Layers":["\#(arn):2"]"#)
    let twice =
      "Two different versions of the same layer are not allowed to be referenced in the same function. "
      + "\(arn):1 and \(arn):2 are versions of the same layer."
    lambda.expect(
      try await configure(#"{"Layers":["\#(arn):1","\#(arn):2"]}"#), 400, "InvalidParameterValueException", twice)
    lambda.expect(
      try await configure(#"{"Layers":["\#(arn):3"]}"#), 400, "InvalidParameterValueException",
      "Layer version \(arn):3 does not exist.")
    lambda.expect(
      try await configure(#"{"Layers":["arn:aws:lambda:::awslayer:Amazon"]}"#), 400, "InvalidParameterValueException",
      "Layer version arn:aws:lambda:::awslayer:Amazon does not exist.")
    #expect(try await configure(#"{"Layers":["l:1"]}"#).code == "ValidationException")
    // A deleted version stays where it is, and comes nowhere else.
    #expect(try await delete(2).status == 204)
    #expect(try await lambda.get()["Layers"]?.array?.first?["Arn"]?.string == "\(arn):2")
    let gone = "Layer version \(arn):2 does not exist."
    lambda.expect(
      try await configure(#"{"Layers":["\#(arn):2"]}"#), 400, "InvalidParameterValueException", gone)
    lambda.expect(
      try await lambda.create("g", #","Layers":["\#(arn):2"]"#), 400, "InvalidParameterValueException", gone)
    #expect(try await configure(#"{"Timeout":5}"#)["Layers"]?.array?.count == 1)
  }

  // MARK: - Tags

  @Test func layersHaveTags() async throws {
    let tags = "/2017-03-31/tags/\(Percent.encode(arn))"
    let missing = "The resource you requested does not exist."
    for method in [HTTPMethod.GET, .POST] {
      lambda.expect(
        try await lambda.call(method, tags, #"{"Tags":{"a":"1"}}"#), 404, "ResourceNotFoundException", missing)
    }
    _ = try await publish()
    #expect(try await lambda.call(.GET, tags)["Tags"] == .object([]))
    #expect(try await lambda.call(.POST, tags, #"{"Tags":{"a":"1","b":"2"}}"#).status == 204)
    #expect(try await lambda.call(.POST, tags, #"{"Tags":{"a":"3"}}"#).status == 204)
    let expected = JSONValue.members(("a", .string("3")), ("b", .string("2")))
    #expect(try await lambda.call(.GET, tags)["Tags"] == expected)
    let many = (1...49).map { "\"k\($0)\":\"\"" }.joined(separator: ",")
    lambda.expect(
      try await lambda.call(.POST, tags, "{\"Tags\":{\(many)}}"), 400, "InvalidParameterValueException",
      "Number of tags exceeds resource tag limit.")
    let layer = try #require(lambda.layers.all.first)
    #expect(try Layer(document: layer.document, key: layer.key).tags.map(\.value) == ["3", "2"])
    #expect(try await lambda.call(.DELETE, "\(tags)?tagKeys=a&tagKeys=c").status == 204)
    #expect(try await lambda.call(.GET, tags)["Tags"] == .members(("b", .string("2"))))
    #expect(try await lambda.call(.GET, "\(tags)%3A1").code == "ValidationException", "not of a version")
    // They end with the last version.
    _ = try await delete(1)
    lambda.expect(try await lambda.call(.GET, tags), 404, "ResourceNotFoundException", missing)
    _ = try await publish()
    #expect(try await lambda.call(.GET, tags)["Tags"] == .object([]))
  }

  // MARK: - In the database

  @Test func layersSurviveTheServer() async throws {
    _ = try await publish("l", zip: 0, #","Description":"ü","CompatibleRuntimes":[],"LicenseInfo":"MIT""#)
    _ = try await publish("l", zip: 1)
    _ = try await add(statement("s", "*", #","OrganizationId":"o-0123456789""#))
    _ = try await delete(2)
    try await lambda.make("f", #","Layers":["\#(arn):1"]"#)
    let layer = try #require(lambda.layers.all.first)
    let kept = try Layer(document: layer.document, key: layer.key)
    #expect(kept.versions == layer.versions)
    #expect(kept.nextVersion == 3)
    #expect(throws: Fault.self) { try Layer(document: "{}", key: layer.key) }
    #expect(throws: Fault.self) {
      try Layer(document: layer.document.replacing("RevisionId", with: "X"), key: layer.key)
    }
    let configuration = try #require(lambda.functions.all.first?.latest)
    #expect(try FunctionConfiguration(record: configuration.record, place: lambda.place) == configuration)
    #expect(configuration.layers.count == 1)
  }
}
