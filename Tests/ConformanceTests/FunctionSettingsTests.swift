// The settings of a function that are kept and shown: networks, file systems, and what Martlet does not run yet.
import MartletWire
import NIOHTTP1
import Testing

@Suite struct FunctionSettingsTests {
  private static let provider = "arn:aws:lambda:us-east-1:111111111111:capacity-provider:p"
  private static let managed =
    #","CapacityProviderConfig":{"LambdaManagedInstancesCapacityProviderConfig":{"CapacityProviderArn":"\#(provider)"}}"#

  private func configure(_ lambda: LambdaFixture, _ body: String) async throws -> Answer {
    let answer = try await lambda.call(.PUT, "/2015-03-31/functions/f/configuration", body)
    await lambda.settle()
    return answer
  }

  @Test func networksAreKeptAndTakenAway() async throws {
    let lambda = try LambdaFixture()
    try await lambda.make("f", #","VpcConfig":{"SubnetIds":["subnet-1"],"SecurityGroupIds":["sg-1"]}"#)
    let vpc = try #require(try await lambda.get()["VpcConfig"])
    #expect(vpc["SubnetIds"]?.array?.first?.string == "subnet-1" && vpc["SecurityGroupIds"]?.array?.count == 1)
    #expect(vpc["Ipv6AllowedForDualStack"]?.bool == false)
    _ = try await configure(lambda, #"{"VpcConfig":{"SubnetIds":[],"SecurityGroupIds":[]}}"#)
    let empty = try #require(try await lambda.get()["VpcConfig"])
    #expect(empty["SubnetIds"]?.array == [] && empty["VpcId"]?.string == "")
    let refused = try await configure(lambda, #"{"VpcConfig":{"SubnetIds":["net"]}}"#)
    lambda.expect(
      refused, 400, "ValidationException",
      "1 validation error detected: Value '[net]' at 'vpcConfig.subnetIds' failed to satisfy constraint: "
        + "Member must satisfy constraint: [Member must have length less than or equal to 1024, "
        + "Member must have length greater than or equal to 0, "
        + "Member must satisfy regular expression pattern: subnet-[0-9a-z]*]")
  }

  @Test func fileSystemsAreKeptAndTakenAway() async throws {
    let lambda = try LambdaFixture()
    let arn = "arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-0123456789abcdef0"
    try await lambda.make("f", #","FileSystemConfigs":[{"Arn":"\#(arn)","LocalMountPath":"/mnt/data"}]"#)
    let kept = try #require(try await lambda.get()["FileSystemConfigs"]?.array?.first)
    #expect(kept["Arn"]?.string == arn && kept["LocalMountPath"]?.string == "/mnt/data")
    _ = try await configure(lambda, #"{"FileSystemConfigs":[]}"#)
    #expect(try await lambda.get()["FileSystemConfigs"] == nil)
  }

  @Test func whatWouldNotRunAsMeantIsNotInvoked() async throws {
    let settings = [
      "DurableConfig": #"{"RetentionPeriodInDays":3,"ExecutionTimeout":60}"#,
      "AcceleratorConfig": #"{"AcceleratorMemorySize":8}"#,
    ]
    for (name, value) in settings {
      let lambda = try LambdaFixture()
      try await lambda.make("f", ",\"\(name)\":\(value)")
      #expect(try await lambda.get()[name]?.text == value)
      let answer = try await lambda.call(.POST, "/2015-03-31/functions/f/invocations", "{}")
      lambda.expect(
        answer, 501, "NotImplementedException",
        "Martlet does not implement Invoke of a function with \(name) yet. UNIMPLEMENTED.txt lists what is missing.")
    }
  }

  @Test func durabilityComesAtTheBeginningOrNever() async throws {
    let lambda = try LambdaFixture()
    try await lambda.make()
    lambda.expect(
      try await configure(lambda, #"{"DurableConfig":{"ExecutionTimeout":60}}"#), 400, "InvalidParameterValueException",
      "You cannot enable durable execution on an existing function")
  }

  @Test func snapStartNeedsASuitableRuntime() async throws {
    let lambda = try LambdaFixture()
    try await lambda.make("f", #","SnapStart":{"ApplyOn":"PublishedVersions"}"#)
    #expect(try await lambda.get()["SnapStart"]?.text == #"{"ApplyOn":"PublishedVersions","OptimizationStatus":"Off"}"#)
    let refused = try await lambda.call(
      .POST, "/2015-03-31/functions",
      """
      {"FunctionName":"g","Role":"\(LambdaFixture.role)","Runtime":"nodejs22.x","Handler":"index.handler",
       "Code":{"ZipFile":"\(LambdaFixture.zips[0])"},"SnapStart":{"ApplyOn":"PublishedVersions"}}
      """)
    lambda.expect(
      refused, 400, "InvalidParameterValueException", "nodejs22.x is not supported for SnapStart enabled functions.")
  }

  @Test func versionsWithSnapStartArePendingUntilTheyAreOptimised() async throws {
    let lambda = try LambdaFixture()
    try await lambda.make("f", #","SnapStart":{"ApplyOn":"PublishedVersions"}"#)
    let published = try await lambda.call(.POST, "/2015-03-31/functions/f/versions", "{}")
    #expect(published.status == 201 && published["State"]?.string == "Pending")
    #expect(published["StateReasonCode"]?.string == "Creating")
    #expect(published["SnapStart"]?["OptimizationStatus"]?.string == "Off")
    let early = try await lambda.call(.POST, "/2015-03-31/functions/f/invocations?Qualifier=1", "{}")
    lambda.expect(
      early, 409, "SnapStartNotReadyException",
      "Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE.")
    await lambda.settle()
    let version = try await lambda.call(.GET, "/2015-03-31/functions/f/configuration?Qualifier=1")
    #expect(version["State"]?.string == "Active")
    #expect(version["SnapStart"]?["OptimizationStatus"]?.string == "On")
    #expect(try await lambda.get()["SnapStart"]?["OptimizationStatus"]?.string == "Off")
    let again = try await lambda.call(.POST, "/2015-03-31/functions/f/versions", "{}")
    #expect(again["Version"]?.string == "1" && again["State"]?.string == "Active")
  }

  @Test func snapStartGoesNotWithEverything() async throws {
    let lambda = try LambdaFixture()
    let on = #","SnapStart":{"ApplyOn":"PublishedVersions"}"#
    func refused(_ answer: Answer, _ what: String) {
      lambda.expect(
        answer, 400, "InvalidParameterValueException", "\(what) is not supported for SnapStart enabled functions.")
    }
    refused(
      try await lambda.create("g", on + #","EphemeralStorage":{"Size":513}"#),
      "Ephemeral storage greater than 512 MB")
    try await lambda.make("f", on)
    refused(try await configure(lambda, #"{"Runtime":"python3.11"}"#), "python3.11")
    refused(
      try await configure(lambda, #"{"EphemeralStorage":{"Size":600}}"#), "Ephemeral storage greater than 512 MB")
    let system = "arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-0123456789abcdef0"
    refused(
      try await configure(lambda, #"{"FileSystemConfigs":[{"Arn":"\#(system)","LocalMountPath":"/mnt/x"}]}"#),
      "FileSystemConfigs")
    _ = try await lambda.call(.POST, "/2015-03-31/functions/f/versions", "{}")
    await lambda.settle()
    let provisioned = try await lambda.call(
      .PUT, "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1", #"{"ProvisionedConcurrentExecutions":1}"#)
    refused(provisioned, "Provisioned Concurrency")
  }

  @Test func latestIsPublishedToCapacityProviders() async throws {
    let lambda = try LambdaFixture()
    try await lambda.make("f", FunctionSettingsTests.managed + #","MemorySize":20000,"Timeout":5400"#)
    let missing = try await lambda.call(
      .POST, "/2015-03-31/functions/f/invocations?Qualifier=%24LATEST.PUBLISHED", "{}")
    #expect(missing.status == 400 && missing.code == "NoPublishedVersionException")
    let publish = #"{"PublishTo":"LATEST_PUBLISHED","Description":"d"}"#
    let first = try await lambda.call(.POST, "/2015-03-31/functions/f/versions", publish)
    #expect(first.status == 201 && first["Version"]?.string == "$LATEST.PUBLISHED")
    #expect(first["FunctionArn"]?.string == LambdaFixture.arn + ":$LATEST.PUBLISHED")
    _ = try await lambda.call(.POST, "/2015-03-31/functions/f/versions", publish)
    _ = try await lambda.call(.POST, "/2015-03-31/functions/f/versions", "{}")
    let listed = try await lambda.call(.GET, "/2015-03-31/functions/f/versions")
    #expect(listed["Versions"]?.array?.compactMap { $0["Version"]?.string } == ["$LATEST", "$LATEST.PUBLISHED", "1"])
    let plain = try LambdaFixture()
    try await plain.make()
    #expect(try await plain.call(.POST, "/2015-03-31/functions/f/versions", publish).status == 400)
    #expect(try await plain.call(.PUT, "/2015-03-31/functions/f/configuration", #"{"MemorySize":20000}"#).status == 400)
  }

  @Test func imagesHaveNoHandler() async throws {
    let lambda = try LambdaFixture()
    lambda.expect(
      try await lambda.create("f", #","PackageType":"Image""#), 400, "InvalidParameterValueException",
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
    try await lambda.make("g")
    let answer = try await lambda.call(
      .PUT, "/2015-03-31/functions/g/configuration", #"{"ImageConfig":{"Command":["x"]}}"#)
    lambda.expect(
      answer, 400, "InvalidParameterValueException",
      "ImageConfig is only supported for functions with packageType Image.")
  }
}
