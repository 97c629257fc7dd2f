// IAM and STS where clients cannot look: the policy language, identifiers, tokens, and calls between services.
import Logging
import MartletCore
import MartletStore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct CloudTests {
  private static let trust =
    #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#

  static let trusts: [(admits: Bool, statements: String)] = [
    (true, #"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#),
    (true, #"{"Effect":"Allow","Principal":{"Service":["a.b","lambda.amazonaws.com"]},"Action":["sts:AssumeRole"]}"#),
    (true, #"{"Effect":"Allow","Principal":"*","Action":"STS:assume*"}"#),
    (true, #"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRol?"}"#),
    (true, #"{"Effect":"Allow","Principal":"*","Action":"*","Condition":{"StringEquals":{"a":"b"}}}"#),
    (true, #"{"Effect":"Allow","NotPrincipal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}"#),
    (true, #"{"Effect":"Allow","Principal":"*","NotAction":"sts:TagSession"}"#),
    (
      true,
      #"{"Effect":"Allow","Principal":"*","Action":"*"},{"Effect":"Deny","Principal":{"Service":"ec2.amazonaws.com"},"Action":"*"}"#
    ),
    (
      true,
      #"{"Effect":"Allow","Principal":"*","Action":"*"},{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"Bool":{"a":"true"}}}"#
    ),
    (false, #"{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}"#),
    (false, #"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole"}"#),
    (false, #"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:TagSession"}"#),
    (false, #"{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}"#),
    (
      false,
      #"{"Effect":"Deny","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:*"},{"Effect":"Allow","Principal":"*","Action":"*"}"#
    ),
    (false, #"{"Effect":"Allow","Principal":"*","NotAction":"sts:*"}"#),
  ]

  @Test(arguments: trusts) func trustPoliciesAdmitLambdaOrNot(_ trust: (admits: Bool, statements: String)) throws {
    let document = try PolicyDocument(parsing: "{\"Statement\":[\(trust.statements)]}", for: .trust)
    #expect(document.admits(service: "lambda.amazonaws.com") == trust.admits, "\(trust.statements)")
  }

  static let malformed: [(document: String, use: PolicyDocument.Use, message: String)] = [
    ("", .identity, "Syntax errors in policy."),
    ("[]", .identity, "Syntax errors in policy."),
    ("{}", .identity, "Syntax errors in policy."),
    (#"{"Statement":[]}"#, .identity, "Syntax errors in policy."),
    (#"{"Version":"2020-01-01","Statement":[]}"#, .identity, "The policy must contain a valid version string."),
    (#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#, .identity, "Syntax errors in policy."),
    (#"{"Statement":{"Effect":"Allow","Action":1,"Resource":"*"}}"#, .identity, "Syntax errors in policy."),
    (#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#, .identity, "Policy statement must contain actions."),
    (#"{"Statement":{"Effect":"Allow","Action":"*"}}"#, .identity, "Policy statement must contain resources."),
    (
      #"{"Statement":{"Effect":"Allow","Action":"GetObject","Resource":"*"}}"#, .identity,
      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    ),
    (
      #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"bucket"}}"#, .identity,
      "Resource bucket must be in ARN format or \"*\"."
    ),
    (
      #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}"#, .identity,
      "Policy document should not specify a principal."
    ),
    (
      #"{"Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}"#,
      .identity, "Statement IDs (SID) in a single policy must be unique."
    ),
    ("{", .trust, "This policy contains invalid Json"),
    (
      #"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}"#, .trust,
      "Missing required field Principal cannot be empty!"
    ),
    (#"{"Statement":{"Effect":"Allow","Principal":"*"}}"#, .trust, "Missing required field Action"),
    (
      #"{"Statement":{"Effect":"Allow","Principal":{"AWS":"me"},"Action":"sts:AssumeRole"}}"#, .trust,
      "Invalid principal in policy: \"AWS\":\"me\""
    ),
  ]

  @Test(arguments: malformed) func malformedDocuments(
    _ given: (document: String, use: PolicyDocument.Use, message: String)
  ) {
    #expect(throws: AWSError.malformedPolicy(given.message)) {
      _ = try PolicyDocument(parsing: given.document, for: given.use)
    }
  }

  @Test func wildcards() {
    for (pattern, text, matches) in [
      ("*", "", true), ("a*b*c", "a-b-b-c", true), ("a*b*c", "a-b-b", false), ("?", "a", true), ("?", "", false),
      ("a", "ab", false), ("**a", "a", true), ("s3:Get*", "s3:PutObject", false),
    ] {
      #expect(Wildcard.matches(pattern, text) == matches, "\(pattern) \(text)")
    }
  }

  @Test func shippedPoliciesAreWellFormed() throws {
    #expect(AWSManagedPolicies.all.count >= 30)
    for policy in AWSManagedPolicies.all {
      _ = try PolicyDocument(parsing: try #require(policy.versions.first).document, for: .identity)
      #expect(AWSManagedPolicies.find(policy.arn)?.entity.name == policy.entity.name)
      #expect(policy.entity.id.count == 21)
    }
  }

  @Test func identifiersCarryTheirAccount() throws {
    let world = RealWorld()
    for id in ["000000000000", "111111111111", "999999999999", "000000000001", "123456789012"] {
      let account = try #require(Account(id))
      for _ in 0..<50 {
        let key = IAMIdentifier.accessKey("AKIA", account, world)
        #expect(key.count == 20 && key.hasPrefix("AKIA"))
        #expect(IAMIdentifier.account(ofAccessKey: key) == account)
      }
    }
    #expect(IAMIdentifier.account(ofAccessKey: "AKIA") == nil)
    #expect(IAMIdentifier.account(ofAccessKey: "AKIA0000000000000001") == nil)
    #expect(IAMIdentifier.make("AROA", world).count == 21)
    #expect(Set((0..<1000).map { _ in IAMIdentifier.make("AROA", world) }).count == 1000)
  }

  @Test func tokensAreKnownAndCannotBeChanged() async throws {
    let cloud = try await CloudFixture()
    let account = try #require(Account("111111111111"))
    let identity = Identity(account: account, arn: "arn:aws:sts::111111111111:assumed-role/r/s", id: "AROAX:s")
    let issued = cloud.iam.credentials.issue(identity, seconds: 900)
    #expect(cloud.iam.credentials.read(issued.sessionToken, accessKey: issued.accessKeyID)?.0 == identity)
    #expect(cloud.iam.credentials.read(issued.sessionToken, accessKey: "ASIAOTHER") == nil)
    #expect(cloud.iam.credentials.secret(of: issued.accessKeyID) == issued.secretAccessKey)
    let other = try await CloudFixture()
    #expect(other.iam.credentials.read(issued.sessionToken, accessKey: issued.accessKeyID) == nil)
    let characters = Array(issued.sessionToken)
    for position in characters.indices where characters[position] != "=" {
      var changed = characters
      changed[position] = changed[position] == "A" ? "B" : "A"
      let known = cloud.iam.credentials.read(String(changed), accessKey: issued.accessKeyID)
      // The last character may have bits that mean nothing.
      #expect(known == nil || (position > characters.count - 4 && known?.0 == identity))
    }
    for text in ["", "x", "martlet1", "bWFydGxldDE=", String(repeating: "A", count: 5000)] {
      #expect(cloud.iam.credentials.read(text, accessKey: issued.accessKeyID) == nil)
    }
  }

  @Test func servicesMustBeAdmittedByTheTrustPolicy() async throws {
    let cloud = try await CloudFixture()
    let door = Door(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    door.offer(IAM.GetRole.self, by: cloud.iam)
    door.offer(STS.AssumeRole.self, by: STSService(iam: cloud.iam, world: RealWorld()))
    let created = try await cloud.iam(
      "CreateRole", "&RoleName=r&AssumeRolePolicyDocument=\(Percent.encode(CloudTests.trust))")
    #expect(created.status == 200, "\(created.text)")
    let call = try cloud.call().by("lambda.amazonaws.com")
    let role = try await door.call(IAM.GetRole.self, .init(role: "r"), call)
    #expect(role.arn == "arn:aws:iam::111111111111:role/r")
    let session = try await door.call(STS.AssumeRole.self, .init(role: role.arn, session: "f"), call)
    #expect(session.identity.arn == "arn:aws:sts::111111111111:assumed-role/r/f")
    await #expect(throws: AWSError.self) {
      try await door.call(
        STS.AssumeRole.self, .init(role: role.arn, session: "f"), try cloud.call().by("ec2.amazonaws.com"))
    }
    await #expect(throws: AWSError.iamNotFound(IAMRole.noun, "s")) {
      try await door.call(IAM.GetRole.self, .init(role: "s"), call)
    }
  }

  @Test func whoeverCallsIsNamed() async throws {
    let cloud = try await CloudFixture()
    #expect(try await cloud.sts("GetCallerIdentity").element("Arn") == "arn:aws:iam::111111111111:root")
    let account = try #require(Account("222222222222"))
    let known = Identity(account: account, arn: "arn:aws:iam::222222222222:user/a/u", id: "AIDAX")
    let answer = try await cloud.sts("GetCallerIdentity", caller: .identity(known))
    #expect(answer.element("Arn") == known.arn && answer.element("UserId") == "AIDAX")
    #expect(answer.element("Account") == "222222222222")
    #expect(known.userName == "u" && !known.isSession && !known.isRoot)
    let refused = try await cloud.sts("DecodeAuthorizationMessage", "&EncodedMessage=x")
    #expect(refused.status == 400 && refused.code == "InvalidAuthorizationMessageException")
  }

  @Test func documentsTravelAsTheyWereGiven() async throws {
    let cloud = try await CloudFixture()
    let document = CloudTests.trust.replacing(",", with: ",\r\n\t ")
    let form = "&RoleName=r&AssumeRolePolicyDocument=\(Percent.encode(document))&Description=%3C%26%3E%22%0D%0A%C3%A9"
    #expect(try await cloud.iam("CreateRole", form).status == 200)
    let role = try await cloud.iam("GetRole", "&RoleName=r")
    #expect(role.element("AssumeRolePolicyDocument").map { Percent.decode($0) } == document)
    #expect(role.element("Description") == "<&>\"\r\n\u{e9}")
  }

  @Test func quotasHold() async throws {
    let cloud = try await CloudFixture()
    let trust = Percent.encode(CloudTests.trust)
    #expect(try await cloud.iam("CreateRole", "&RoleName=r&AssumeRolePolicyDocument=\(trust)").status == 200)
    for policy in AWSManagedPolicies.all.prefix(10) {
      #expect(try await cloud.iam("AttachRolePolicy", "&RoleName=r&PolicyArn=\(policy.arn)").status == 200)
    }
    let eleventh = try await cloud.iam("AttachRolePolicy", "&RoleName=r&PolicyArn=\(AWSManagedPolicies.all[10].arn)")
    #expect(eleventh.status == 409 && eleventh.message == "Cannot exceed quota for PoliciesPerRole: 10")
    let again = try await cloud.iam("AttachRolePolicy", "&RoleName=r&PolicyArn=\(AWSManagedPolicies.all[0].arn)")
    #expect(again.status == 200)
    let long = Percent.encode(
      #"{"Statement":{"Effect":"Allow","Action":"s3:"# + String(repeating: "x", count: 6144) + #"","Resource":"*"}}"#)
    let tooLong = try await cloud.iam("CreatePolicy", "&PolicyName=p&PolicyDocument=\(long)")
    #expect(tooLong.status == 409 && tooLong.message == "Cannot exceed quota for PolicySize: 6144")
    #expect(try await cloud.iam("PutRolePolicy", "&RoleName=r&PolicyName=a&PolicyDocument=\(long)").status == 200)
    let second = try await cloud.iam("PutRolePolicy", "&RoleName=r&PolicyName=b&PolicyDocument=\(long)")
    #expect(
      second.code == "LimitExceeded" && second.message == "Maximum policy size of 10240 bytes exceeded for role r")
    #expect(
      try await cloud.iam("ListRolePolicies", "&RoleName=r").text.contains(
        "<PolicyNames><member>a</member></PolicyNames>"))
    let tags = (0..<30).map { "&Tags.member.\($0 + 1).Key=k\($0)&Tags.member.\($0 + 1).Value=v" }.joined()
    #expect(try await cloud.iam("TagRole", "&RoleName=r" + tags).status == 200)
    let more = try await cloud.iam("TagRole", "&RoleName=r" + tags.replacing("Key=k", with: "Key=m"))
    #expect(more.code == "LimitExceeded" && more.message == "Cannot exceed quota for TagsPerRole: 50")
  }

  @Test func namesAreUniqueWithoutCaseAndMayChange() async throws {
    let cloud = try await CloudFixture()
    #expect(try await cloud.iam("CreateUser", "&UserName=Bob").status == 200)
    #expect(try await cloud.iam("CreateUser", "&UserName=bob").code == "EntityAlreadyExists")
    #expect(try await cloud.iam("CreateUser", "&UserName=eve").status == 200)
    let taken = try await cloud.iam("UpdateUser", "&UserName=eve&NewUserName=BOB")
    #expect(taken.status == 409 && taken.message == "User with name BOB already exists.")
    #expect(try await cloud.iam("UpdateUser", "&UserName=Bob&NewUserName=bob").status == 200)
    #expect(try await cloud.iam("GetUser", "&UserName=BOB").element("UserName") == "bob")
    let key = try await cloud.iam("CreateAccessKey", "&UserName=bob")
    let id = try #require(key.element("AccessKeyId"))
    #expect(try await cloud.iam("UpdateUser", "&UserName=bob&NewUserName=ann&NewPath=%2Fx%2F").status == 200)
    #expect(
      cloud.iam.identity(accessKey: id, token: nil, use: ("us-east-1", "iam"))?.arn
        == "arn:aws:iam::111111111111:user/x/ann")
    #expect(try await cloud.iam("GetUser", "&UserName=bob").code == "NoSuchEntity")
    #expect(try await cloud.iam("UpdateUser", "&UserName=bob&NewUserName=x").code == "NoSuchEntity")
    for (path, status) in [("%2Fa%2F", 200), ("%2Fa%21%2F", 400), ("a", 400)] {
      let document = Percent.encode(#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#)
      let answer = try await cloud.iam("CreatePolicy", "&PolicyName=p&Path=\(path)&PolicyDocument=\(document)")
      #expect(answer.status == status, "\(path)")
    }
  }
}
