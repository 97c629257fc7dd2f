// What CreateFunction and the updates refuse, in AWS's words.
import MartletCore
import MartletLambda
import MartletWire
import NIOHTTP1
import Testing

@Suite struct LambdaValidationTests {
  private let lambda: LambdaFixture

  init() throws { lambda = try LambdaFixture() }

  private static let one = "1 validation error detected: Value"
  private static let failed = "failed to satisfy constraint:"
  private static let name =
    #"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?"#
    + #"(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"#

  private static let layers = "arn:aws:lambda:us-east-1:111111111111:layer:l"

  /// Members of a valid request are replaced by those given; what is refused first is named by code and text.
  @Test(
    arguments: [
      (
        #""FunctionName":"*""#, "ValidationException",
        "\(one) '*' at 'functionName' \(failed) Member must satisfy regular expression pattern: \(name)"
      ),
      (
        #""FunctionName":"\#(String(repeating: "a", count: 65))""#, "InvalidParameterValueException",
        "\(one) '\(String(repeating: "a", count: 65))' at 'functionName' \(failed) "
          + "Member must have length less than or equal to 64"
      ),
      (
        #""Role":"r1""#, "ValidationException",
        #"\#(one) 'r1' at 'role' \#(failed) Member must satisfy regular expression pattern: "#
          + #"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"#
      ),
      (#""Role":null"#, "ValidationException", "\(one) null at 'role' \(failed) Member must not be null"),
      (#""Code":null"#, "ValidationException", "\(one) null at 'code' \(failed) Member must not be null"),
      (#""Code":{}"#, "InvalidParameterValueException", "Please provide a source for function code."),
      (
        #""Handler":null"#, "InvalidParameterValueException",
        "Runtime and Handler are mandatory parameters for functions created with deployment packages."
      ),
      (
        #""Timeout":901"#, "ValidationException",
        "\(one) '901' at 'timeout' \(failed) Member must have value less than or equal to 900"
      ),
      (
        #""Timeout":0"#, "ValidationException",
        "\(one) '0' at 'timeout' \(failed) Member must have value greater than or equal to 1"
      ),
      (
        #""MemorySize":64"#, "ValidationException",
        "\(one) '64' at 'memorySize' \(failed) Member must have value greater than or equal to 128"
      ),
      (
        #""EphemeralStorage":{"Size":10241}"#, "ValidationException",
        "\(one) '10241' at 'ephemeralStorage.size' \(failed) Member must have value less than or equal to 10240"
      ),
      (
        #""Architectures":["x86_64","arm64"]"#, "ValidationException",
        "\(one) '[x86_64, arm64]' at 'architectures' \(failed) Member must have length less than or equal to 1"
      ),
      (
        #""Architectures":["X86_64"]"#, "ValidationException",
        "\(one) '[X86_64]' at 'architectures' \(failed) Member must satisfy constraint: "
          + "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
      ),
      (
        #""SnapStart":{"ApplyOn":"invalidOption"}"#, "ValidationException",
        "\(one) 'invalidOption' at 'snapStart.applyOn' \(failed) "
          + "Member must satisfy enum value set: [PublishedVersions, None]"
      ),
      (
        #""VpcConfig":{"SubnetIds":["x"]}"#, "ValidationException",
        "\(one) '[x]' at 'vpcConfig.subnetIds' \(failed) Member must satisfy constraint: "
          + "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, "
          + "Member must satisfy regular expression pattern: subnet-[0-9a-z]*]"
      ),
      (
        #""Environment":{"Variables":{"AWS_REGION":"x"}}"#, "InvalidParameterValueException",
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
          + "contains reserved keys that are currently not supported for modification. "
          + "Reserved keys used in this request: AWS_REGION"
      ),
      (
        #""LoggingConfig":{"LogFormat":"Text","SystemLogLevel":"INFO"}"#, "InvalidParameterValueException",
        "LogLevel is not supported when LogFormat is set to \"Text\". "
          + "Remove LogLevel from your request or change the LogFormat to \"JSON\" and try again."
      ),
      (
        #""Code":{"ZipFile":"bm90IGEgemlw"}"#, "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again."
      ),
      (#""Code":{"ZipFile":""}"#, "InvalidParameterValueException", "Uploaded file must be a non-empty zip"),
      (
        #""Layers":["arn:aws:lambda:us-east-1:111111111111:layer:l:1"]"#, "InvalidParameterValueException",
        "Layer version arn:aws:lambda:us-east-1:111111111111:layer:l:1 does not exist."
      ),
      (
        #""Layers":["arn:aws:lambda:eu-west-1:111111111111:layer:l:1"]"#, "InvalidParameterValueException",
        "Layers are not in the same region as the function. Layers are expected to be in region us-east-1."
      ),
      (
        #""Layers":[\#((1...6).map { "\"\(layers)\($0):1\"" }.joined(separator: ","))]"#,
        "InvalidParameterValueException", "Cannot reference more than 5 layers."
      ),
    ] as [(String, String, String)])
  func createRefuses(member: String, code: String, message: String) async throws {
    // The reader takes the last of two members of one name.
    lambda.expect(try await lambda.create("f", ",\(member)"), 400, code, message)
    #expect(try await lambda.get().status == 404)
  }

  @Test(arguments: [
    (
      #""Code":{"S3Bucket":"bucket","S3Key":"key","S3ObjectStorageMode":"REFERENCE"}"#,
      "CreateFunction with Code.S3ObjectStorageMode=REFERENCE"
    )
  ])
  func createSaysWhatIsMissing(member: String, what: String) async throws {
    let answer = try await lambda.create("f", ",\(member)")
    #expect(answer.status == 501)
    #expect(answer.message.contains(what))
  }

  @Test func severalViolationsAreToldTogether() async throws {
    let answer = try await lambda.create("f", #","Timeout":0,"MemorySize":1"#)
    #expect(answer.code == "ValidationException")
    #expect(answer.message.hasPrefix("2 validation errors detected: Value '0' at 'timeout'"))
    #expect(answer.message.contains("; Value '1' at 'memorySize'"))
  }

  @Test func emptySettingsAreAccepted() async throws {
    let answer = try await lambda.create(
      "f",
      #","VpcConfig":{"SubnetIds":[],"SecurityGroupIds":[]},"Layers":[],"FileSystemConfigs":[],"KMSKeyArn":"","#
        + #""DeadLetterConfig":{"TargetArn":""},"Environment":{"Variables":{}},"SnapStart":{"ApplyOn":"None"}"#)
    #expect(answer.status == 201)
    #expect(answer["Environment"]?["Variables"] == .object([]))
    #expect(answer["DeadLetterConfig"] == nil)
    #expect(answer["KMSKeyArn"] == nil)
  }

  @Test func environmentIsMeasuredAsJSON() async throws {
    let most = String(repeating: "x", count: 4096 - #"{"LARGE_VAR":""}"#.utf8.count)
    #expect(try await lambda.create("f", #","Environment":{"Variables":{"LARGE_VAR":"\#(most)"}}"#).status == 201)
    lambda.expect(
      try await lambda.create("g", #","Environment":{"Variables":{"LARGE_VAR":"\#(most)x"}}"#), 400,
      "InvalidParameterValueException",
      "Lambda was unable to configure your environment variables because the environment variables you have provided "
        + #"exceeded the 4KB limit. String measured: {"LARGE_VAR":"\#(most)x"}"#)
  }

  @Test func oversizeIsToldFirst() async throws {
    lambda.expect(
      try await lambda.call(.POST, "/2015-03-31/functions", bodyExceedsLimit: true), 413,
      "RequestEntityTooLargeException", "Request must be smaller than 70167211 bytes for the CreateFunction operation")
    lambda.expect(
      try await lambda.call(.PUT, "/2015-03-31/functions/f/code", bodyExceedsLimit: true), 413,
      "RequestEntityTooLargeException",
      "Request must be smaller than 70167211 bytes for the UpdateFunctionCode operation")
  }

  /// An update whose body was cut off is not an update without members.
  @Test(arguments: [
    (HTTPMethod.PUT, "/2015-03-31/functions/f/configuration"), (.POST, "/2015-03-31/functions/f/versions"),
    (.POST, "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A111111111111%3Afunction%3Af"),
  ])
  func oversizeChangesNothing(method: HTTPMethod, uri: String) async throws {
    try await lambda.make()
    let before = try await lambda.get()
    #expect(try await lambda.call(method, uri, bodyExceedsLimit: true).code == "RequestEntityTooLargeException")
    #expect(try await lambda.get().body == before.body)
  }

  @Test func namesMayBeARNs() async throws {
    let answer = try await lambda.create("arn:aws:lambda:us-east-1:111111111111:function:my-function")
    #expect(answer["FunctionName"]?.string == "my-function")
    lambda.expect(
      try await lambda.create("arn:aws:lambda:eu-west-1:111111111111:function:f"), 404, "ResourceNotFoundException",
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
  }

  @Test func loggingIsMerged() async throws {
    try await lambda.make()
    func log(_ config: String) async throws -> JSONValue? {
      let answer = try await lambda.call(
        .PUT, "/2015-03-31/functions/f/configuration", #"{"LoggingConfig":\#(config)}"#)
      await lambda.settle()
      return answer["LoggingConfig"]
    }
    let json = try await log(#"{"LogFormat":"JSON"}"#)
    #expect(json?["ApplicationLogLevel"]?.string == "INFO")
    #expect(json?["SystemLogLevel"]?.string == "INFO")
    let leveled = try await log(#"{"ApplicationLogLevel":"DEBUG","LogGroup":"cool_lambda"}"#)
    #expect(leveled?["LogFormat"]?.string == "JSON")
    #expect(leveled?["ApplicationLogLevel"]?.string == "DEBUG")
    #expect(leveled?["LogGroup"]?.string == "cool_lambda")
    let text = try await log(#"{"LogFormat":"Text"}"#)
    #expect(text?["ApplicationLogLevel"] == nil)
    #expect(text?["LogGroup"]?.string == "cool_lambda")
  }

  @Test func updatesRefuse() async throws {
    lambda.expect(
      try await lambda.call(.PUT, "/2015-03-31/functions/f/configuration", "{}"), 404, "ResourceNotFoundException",
      "Function not found: \(LambdaFixture.arn)")
    try await lambda.make()
    let runtime = try await lambda.call(.PUT, "/2015-03-31/functions/f/configuration", #"{"Runtime":"PYTHON3.9"}"#)
    #expect(runtime.code == "InvalidParameterValueException")
    #expect(runtime.message.hasPrefix("Value PYTHON3.9 at 'runtime' failed to satisfy constraint:"))
    lambda.expect(
      try await lambda.call(.PUT, "/2015-03-31/functions/f/code", #"{"ImageUri":"x"}"#), 400,
      "InvalidParameterValueException", "Please don't provide ImageUri when updating a function with packageType Zip.")
    #expect(try await lambda.get()["LastUpdateStatus"]?.string == "Successful")
  }
}
