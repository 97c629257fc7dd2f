// What is configured beside a function: asynchronous invocation, URLs, recursion, runtime updates, scaling.
import MartletCore
import MartletLambda
import MartletWire
import NIOHTTP1
import Testing

@Suite struct FunctionConfigsTests {
  private let lambda: LambdaFixture
  private let invoke = "/2019-09-25/functions/f/event-invoke-config"
  private let url = "/2021-10-31/functions/f/url"
  private let recursion = "/2024-08-31/functions/f/recursion-config"
  private let runtime = "/2021-07-20/functions/f/runtime-management-config"
  private let scaling = "/2025-11-30/functions/f/function-scaling-config"
  private let missing = "The resource you requested does not exist."

  init() throws { lambda = try LambdaFixture() }

  private func makeVersionAndAlias(_ more: String = "") async throws {
    try await lambda.make("f", more)
    try #require(try await lambda.call(.POST, "/2015-03-31/functions/f/versions", "{}").status == 201)
    let alias = try await lambda.call(
      .POST, "/2015-03-31/functions/f/aliases", #"{"Name":"live","FunctionVersion":"1"}"#)
    try #require(alias.status == 201)
  }

  // MARK: - Asynchronous invocation

  private func destinations(_ name: String, _ arn: String) -> String {
    #"{"DestinationConfig":{"\#(name)":{"Destination":"\#(arn)"}}}"#
  }

  /// PutFunctionEventInvokeConfig replaces, UpdateFunctionEventInvokeConfig changes.
  @Test func eventInvokeConfigsArePutAndUpdated() async throws {
    try await lambda.make()
    let queue = "arn:aws:sqs:us-east-1:111111111111:q"
    let first = try await lambda.call(.PUT, invoke, #"{"MaximumRetryAttempts":0}"#)
    #expect(first.status == 200)
    #expect(first.names == ["LastModified", "FunctionArn", "MaximumRetryAttempts", "DestinationConfig"])
    #expect(first["FunctionArn"]?.string == "\(LambdaFixture.arn):$LATEST")
    #expect(first["LastModified"]?.number != nil)
    #expect(
      first["DestinationConfig"] == .members(("OnSuccess", .object([])), ("OnFailure", .object([]))))
    let second = try await lambda.call(.PUT, invoke, #"{"MaximumEventAgeInSeconds":60}"#)
    #expect(second["MaximumRetryAttempts"] == nil)
    _ = try await lambda.call(.POST, invoke, #"{"MaximumRetryAttempts":1}"#)
    _ = try await lambda.call(.POST, invoke, destinations("OnFailure", queue))
    let third = try await lambda.call(.POST, invoke, destinations("OnSuccess", queue))
    #expect(third["MaximumEventAgeInSeconds"]?.integer == 60)
    #expect(third["MaximumRetryAttempts"]?.integer == 1)
    #expect(third["DestinationConfig"]?["OnFailure"]?["Destination"]?.string == queue)
    #expect(third["DestinationConfig"]?["OnSuccess"]?["Destination"]?.string == queue)
    let fourth = try await lambda.call(.POST, invoke, destinations("OnFailure", ""))
    #expect(fourth["DestinationConfig"]?["OnFailure"] == .object([]))
    // GetFunctionEventInvokeConfig
    #expect(try await lambda.call(.GET, "\(invoke)?Qualifier=$LATEST").body == fourth.body)
    #expect(try await lambda.call(.GET, invoke).body == fourth.body)
  }

  /// ListFunctionEventInvokeConfigs and DeleteFunctionEventInvokeConfig.
  @Test func eventInvokeConfigsBelongToQualifiers() async throws {
    try await makeVersionAndAlias()
    for query in ["", "?Qualifier=1", "?Qualifier=live"] {
      #expect(try await lambda.call(.PUT, invoke + query, #"{"MaximumRetryAttempts":0}"#).status == 200)
    }
    var arns: [String?] = []
    var marker = ""
    repeat {
      let page = try await lambda.call(.GET, "\(invoke)/list?MaxItems=2\(marker)")
      arns += page["FunctionEventInvokeConfigs"]?.array?.map { $0["FunctionArn"]?.string } ?? []
      marker = page["NextMarker"]?.string.map { "&Marker=\($0)" } ?? ""
    } while !marker.isEmpty
    #expect(arns == ["$LATEST", "1", "live"].map { "\(LambdaFixture.arn):\($0)" })
    #expect(try await lambda.call(.DELETE, "\(invoke)?Qualifier=1").status == 204)
    lambda.expect(
      try await lambda.call(.DELETE, "\(invoke)?Qualifier=1"), 404, "ResourceNotFoundException",
      "The function \(LambdaFixture.arn):1 doesn't have an EventInvokeConfig")
    _ = try await lambda.call(.DELETE, "/2015-03-31/functions/f/aliases/live")
    lambda.expect(
      try await lambda.call(.GET, "\(invoke)?Qualifier=live"), 404, "ResourceNotFoundException",
      "The function \(LambdaFixture.arn):live doesn't have an EventInvokeConfig")
    let list = try await lambda.call(.GET, "\(invoke)/list")
    #expect(list["FunctionEventInvokeConfigs"]?.array?.count == 1)
  }

  @Test func eventInvokeConfigsAreRefused() async throws {
    try await lambda.make()
    try await lambda.make("g")
    let (missing, wrong) = ("ResourceNotFoundException", "InvalidParameterValueException")
    let put = { (body: String) in try await lambda.call(.PUT, invoke, body) }
    for method in [HTTPMethod.PUT, .POST] {
      lambda.expect(
        try await lambda.call(method, invoke, "{}"), 400, wrong,
        "You must specify at least one of error handling or destination setting.")
      for path in ["/2019-09-25/functions/h/event-invoke-config", "\(invoke)?Qualifier=7", "\(invoke)?Qualifier=live"] {
        lambda.expect(
          try await lambda.call(method, path, #"{"MaximumRetryAttempts":0}"#), 404, missing,
          "The function doesn't exist.")
      }
    }
    lambda.expect(
      try await lambda.call(.POST, invoke, #"{"MaximumRetryAttempts":0}"#), 404, missing,
      "The function \(LambdaFixture.arn):$LATEST doesn't have an EventInvokeConfig")
    lambda.expect(
      try await lambda.call(.GET, "/2019-09-25/functions/h/event-invoke-config/list"), 404, missing,
      "The function doesn't exist.")
    let arn = "arn:aws:lambda:us-east-1:111111111111:function"
    lambda.expect(
      try await put(destinations("OnFailure", "\(arn):h")), 400, wrong, "The destination ARN \(arn):h is invalid.")
    lambda.expect(
      try await put(destinations("OnSuccess", "\(arn):f")), 400, wrong,
      "You can't specify the function as a destination for itself.")
    lambda.expect(
      try await put(destinations("OnSuccess", "arn:aws:s3:::b")), 400, wrong,
      "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::b), "
        + "onFailure=null) is invalid.")
    lambda.expect(
      try await put(destinations("OnFailure", "arn:aws:iam::111111111111:role/r")), 400, wrong,
      "The provided destination config DestinationConfig(onSuccess=null, "
        + "onFailure=OnFailure(destination=arn:aws:iam::111111111111:role/r)) is invalid.")
    for destination in ["arn:aws:s3:::b", "\(arn):g", "\(arn):g:live", "arn:aws:sns:us-east-1:111111111111:t"] {
      #expect(try await put(destinations("OnFailure", destination)).status == 200)
    }
  }

  // MARK: - URLs

  /// CreateFunctionUrlConfig, GetFunctionUrlConfig, UpdateFunctionUrlConfig.
  @Test func urlsLive() async throws {
    try await lambda.make()
    let created = try await lambda.call(.POST, url, #"{"AuthType":"NONE"}"#)
    #expect(created.status == 201)
    #expect(created.names == ["AuthType", "CreationTime", "FunctionArn", "FunctionUrl"])
    let address = try #require(created["FunctionUrl"]?.string)
    #expect(address.wholeMatch(of: /http:\/\/[a-z0-9]{32}\.lambda-url\.us-east-1\.localhost:4566\//) != nil)
    #expect(created["FunctionArn"]?.string == LambdaFixture.arn)
    lambda.expect(
      try await lambda.call(.POST, url, #"{"AuthType":"NONE"}"#), 409, "ResourceConflictException",
      "Failed to create function url config for [functionArn = \(LambdaFixture.arn)]. "
        + "Error message:  FunctionUrlConfig exists for this Lambda function")
    let cors =
      #"{"AllowCredentials":true,"AllowHeaders":["a"],"AllowMethods":["*"],"AllowOrigins":["https://a"],"#
      + #""ExposeHeaders":[],"MaxAge":5}"#
    let updated = try await lambda.call(.PUT, url, #"{"InvokeMode":"RESPONSE_STREAM","Cors":\#(cors)}"#)
    #expect(updated["InvokeMode"]?.string == "RESPONSE_STREAM")
    #expect(updated["Cors"] == (try JSONValue(parsing: cors)))
    #expect(updated["FunctionUrl"]?.string == address)
    #expect(updated["AuthType"]?.string == "NONE")
    #expect(updated["LastModifiedTime"]?.string?.hasSuffix("Z") == true)
    let again = try await lambda.call(.PUT, url, #"{"AuthType":"AWS_IAM"}"#)
    #expect(again["InvokeMode"] == nil)
    let got = try await lambda.call(.GET, url)
    #expect(got["InvokeMode"]?.string == "RESPONSE_STREAM")
    #expect(got["AuthType"]?.string == "AWS_IAM")
    #expect(got["Cors"] == updated["Cors"])
    #expect(try await lambda.call(.PUT, url, #"{"Cors":{}}"#)["Cors"] == nil)
    #expect(try await lambda.call(.GET, url)["Cors"] == nil)
  }

  /// ListFunctionUrlConfigs and DeleteFunctionUrlConfig.
  @Test func urlsBelongToAliases() async throws {
    try await makeVersionAndAlias()
    let alias = "/2021-10-31/functions/f%3Alive/url"
    let first = try await lambda.call(.POST, url, #"{"AuthType":"NONE"}"#)
    let second = try await lambda.call(.POST, alias, #"{"AuthType":"AWS_IAM"}"#)
    #expect(second["FunctionArn"]?.string == "\(LambdaFixture.arn):live")
    #expect(first["FunctionUrl"] != second["FunctionUrl"])
    let page = try await lambda.call(.GET, "\(url)s?MaxItems=1")
    let marker = try #require(page["NextMarker"]?.string)
    let rest = try await lambda.call(.GET, "\(url)s?MaxItems=1&Marker=\(marker)")
    #expect(page["FunctionUrlConfigs"]?.array?.first?["FunctionUrl"] == first["FunctionUrl"])
    #expect(rest["FunctionUrlConfigs"]?.array?.first?["FunctionUrl"] == second["FunctionUrl"])
    #expect(rest["NextMarker"] == nil)
    #expect(try await lambda.call(.DELETE, url).status == 204)
    lambda.expect(try await lambda.call(.DELETE, url), 404, "ResourceNotFoundException", missing)
    lambda.expect(try await lambda.call(.GET, url), 404, "ResourceNotFoundException", missing)
    #expect(try await lambda.call(.GET, "\(url)?Qualifier=live").status == 200)
    _ = try await lambda.call(.DELETE, "/2015-03-31/functions/f/aliases/live")
    #expect(try await lambda.call(.GET, "\(url)?Qualifier=live").status == 404)
    #expect(try await lambda.call(.GET, "\(url)s")["FunctionUrlConfigs"] == .array([]))
  }

  @Test func urlsAreRefused() async throws {
    try await lambda.make()
    let (missing, none) = ("ResourceNotFoundException", "/2021-10-31/functions/g/url")
    for path in [none, "\(url)?Qualifier=live"] {
      for method in [HTTPMethod.POST, .PUT] {
        lambda.expect(
          try await lambda.call(method, path, #"{"AuthType":"NONE"}"#), 404, missing, "Function does not exist")
      }
      for method in [HTTPMethod.GET, .DELETE] {
        lambda.expect(try await lambda.call(method, path), 404, missing, self.missing)
      }
    }
    lambda.expect(try await lambda.call(.PUT, url, "{}"), 404, missing, self.missing)
    lambda.expect(try await lambda.call(.GET, "\(none)s"), 404, missing, "Function does not exist")
    for qualifier in ["1", "$LATEST"] {
      lambda.expect(
        try await lambda.call(.GET, "\(url)?Qualifier=\(qualifier)"), 400, "ValidationException",
        "1 validation error detected: Value '\(qualifier)' at 'qualifier' failed to satisfy constraint: "
          + #"Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)"#)
    }
    lambda.expect(
      try await lambda.call(.POST, url, #"{"AuthType":"NONE","InvokeMode":"UNKNOWN"}"#), 400, "ValidationException",
      "1 validation error detected: Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: "
        + "Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]")
    lambda.expect(
      try await lambda.call(.GET, "/2021-10-31/functions/f%3Aa/url?Qualifier=b"), 400,
      "InvalidParameterValueException",
      "The derived qualifier from the function name does not match the specified qualifier.")
  }

  /// A name can be put before another, but not before the numbers of an address.
  @Test(arguments: [
    ("localhost:4566", "localhost:4566"), ("127.0.0.1:4566", "localhost:4566"), ("[::1]:80", "localhost:80"),
    ("[::1]", "localhost"), ("lambda.test", "lambda.test"), ("10.0.0.1", "localhost"),
  ])
  func urlsPointHere(host: String, shown: String) throws {
    let json = try JSONValue(
      parsing:
        #"{"Id":"i","AuthType":"NONE","InvokeMode":"BUFFERED","CreatedNanoseconds":1,"LastModifiedNanoseconds":2}"#)
    let url = try #require(FunctionURL(json: json))
    #expect(url.url(lambda.place.region, host: host) == "http://i.lambda-url.us-east-1.\(shown)/")
    #expect(url.json == json)
  }

  // MARK: - Recursion

  /// PutFunctionRecursionConfig and GetFunctionRecursionConfig.
  @Test func recursionIsConfigured() async throws {
    try await lambda.make()
    #expect(try await lambda.call(.GET, recursion).body == .members(("RecursiveLoop", .string("Terminate"))))
    for loop in ["Allow", "Terminate"] {
      let answer = try await lambda.call(.PUT, recursion, #"{"RecursiveLoop":"\#(loop)"}"#)
      #expect(answer.status == 200)
      #expect(answer.body == .members(("RecursiveLoop", .string(loop))))
      #expect(try await lambda.call(.GET, recursion).body == answer.body)
    }
    let none = "/2024-08-31/functions/g/recursion-config"
    for answer in [try await lambda.call(.GET, none), try await lambda.call(.PUT, none, #"{"RecursiveLoop":"Allow"}"#)]
    {
      lambda.expect(
        answer, 404, "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:111111111111:function:g")
    }
    // A new function of the same name begins anew.
    _ = try await lambda.call(.PUT, recursion, #"{"RecursiveLoop":"Allow"}"#)
    _ = try await lambda.call(.DELETE, "/2015-03-31/functions/f")
    try await lambda.make()
    #expect(try await lambda.call(.GET, recursion)["RecursiveLoop"]?.string == "Terminate")
  }

  // MARK: - Runtime updates

  /// PutRuntimeManagementConfig and GetRuntimeManagementConfig.
  @Test func runtimeUpdatesAreConfigured() async throws {
    try await makeVersionAndAlias()
    let first = try await lambda.call(.GET, runtime)
    #expect(first.body == .members(("UpdateRuntimeOn", .string("Auto")), ("FunctionArn", .string(LambdaFixture.arn))))
    let configuration = try await lambda.get()
    let version = try #require(configuration["RuntimeVersionConfig"]?["RuntimeVersionArn"]?.string)
    let manual = try await lambda.call(
      .PUT, "\(runtime)?Qualifier=1", #"{"UpdateRuntimeOn":"Manual","RuntimeVersionArn":"\#(version)"}"#)
    #expect(manual.status == 200)
    #expect(
      manual.body
        == .members(
          ("UpdateRuntimeOn", .string("Manual")), ("FunctionArn", .string("\(LambdaFixture.arn):1")),
          ("RuntimeVersionArn", .string(version))))
    #expect(try await lambda.call(.GET, "\(runtime)?Qualifier=1").body == manual.body)
    #expect(try await lambda.call(.GET, runtime).body == first.body)
    #expect(try await lambda.call(.PUT, runtime, #"{"UpdateRuntimeOn":"FunctionUpdate"}"#).status == 200)
    #expect(
      try await lambda.call(.GET, "\(runtime)?Qualifier=$LATEST")["UpdateRuntimeOn"]?.string == "FunctionUpdate")
  }

  @Test func runtimeUpdatesAreRefused() async throws {
    try await makeVersionAndAlias()
    let wrong = "InvalidParameterValueException"
    let arn = "arn:aws:lambda:us-east-1::runtime:0123"
    let refusals = [
      (#""Manual""#, "RuntimeVersionArn must be specified when UpdateRuntimeOn is Manual."),
      (
        #""Auto","RuntimeVersionArn":"\#(arn)""#,
        "RuntimeVersionArn can only be specified when UpdateRuntimeOn is Manual."
      ),
      (
        #""Manual","RuntimeVersionArn":"\#(arn)""#,
        "The runtime version \(arn) does not exist or cannot run this function."
      ),
    ]
    for (value, message) in refusals {
      lambda.expect(try await lambda.call(.PUT, runtime, #"{"UpdateRuntimeOn":\#(value)}"#), 400, wrong, message)
    }
    lambda.expect(
      try await lambda.call(.GET, "\(runtime)?Qualifier=live"), 400, wrong,
      "Runtime management is configured for $LATEST or a published version, not for an alias.")
    lambda.expect(
      try await lambda.call(.PUT, "\(runtime)?Qualifier=7", #"{"UpdateRuntimeOn":"Auto"}"#), 404,
      "ResourceNotFoundException", "Function not found: \(LambdaFixture.arn):7")
  }

  // MARK: - Scaling

  /// PutFunctionScalingConfig and GetFunctionScalingConfig.
  @Test func scalingIsConfigured() async throws {
    let provider = "arn:aws:lambda:us-east-1:111111111111:capacity-provider:p"
    try await makeVersionAndAlias(
      #","CapacityProviderConfig":{"LambdaManagedInstancesCapacityProviderConfig":{"CapacityProviderArn":"\#(provider)"}}"#
    )
    let version = "\(scaling)?Qualifier=1"
    #expect(
      try await lambda.call(.GET, version).body == .members(("FunctionArn", .string("\(LambdaFixture.arn):1"))))
    let config = #"{"MinExecutionEnvironments":1,"MaxExecutionEnvironments":15000}"#
    let answer = try await lambda.call(.PUT, version, #"{"FunctionScalingConfig":\#(config)}"#)
    #expect(answer.status == 202)
    #expect(answer.names == ["FunctionState"])
    let got = try await lambda.call(.GET, version)
    #expect(got["RequestedFunctionScalingConfig"] == (try JSONValue(parsing: config)))
    #expect(got["AppliedFunctionScalingConfig"] == got["RequestedFunctionScalingConfig"])
    lambda.expect(
      try await lambda.call(
        .PUT, version, #"{"FunctionScalingConfig":{"MinExecutionEnvironments":3,"MaxExecutionEnvironments":2}}"#), 400,
      "InvalidParameterValueException",
      "MinExecutionEnvironments (3) must not be greater than MaxExecutionEnvironments (2).")
    #expect(try await lambda.call(.PUT, version, "{}").status == 202)
    #expect(try await lambda.call(.GET, version)["RequestedFunctionScalingConfig"] == nil)
    lambda.expect(
      try await lambda.call(.GET, "\(scaling)?Qualifier=7"), 404, "ResourceNotFoundException",
      "Function not found: \(LambdaFixture.arn):7")
  }

  @Test func scalingNeedsACapacityProvider() async throws {
    try await makeVersionAndAlias()
    for answer in [
      try await lambda.call(.GET, "\(scaling)?Qualifier=1"),
      try await lambda.call(.PUT, "\(scaling)?Qualifier=1", "{}"),
    ] {
      lambda.expect(
        answer, 400, "InvalidParameterValueException",
        "A scaling configuration needs a function version with a capacity provider.")
    }
  }
}
