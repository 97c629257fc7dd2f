// CreateFunctionUrlConfig: gives a function, or one of its aliases, an address.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum CreateFunctionUrlConfig: Operation {
    static let route = Route.rest(
      "Lambda.CreateFunctionUrlConfig", .post, "/2021-10-31/functions/{FunctionName}/url", status: 201)

    struct Input: Readable {
      let target: FunctionURLTarget
      let settings: FunctionURLSettings

      init(_ r: Reader) throws(AWSError) {
        target = FunctionURLTarget(r)
        settings = FunctionURLSettings(try r.smallBody("CreateFunctionUrlConfig"), requiresAuthType: true)
      }
    }

    typealias Output = FunctionURLOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try input.target.resolve(call, lambda)
      let world = lambda.world
      let url = try await lambda.functions.change(reference.key) {
        (after: inout FunctionRecord?) throws(AWSError) -> FunctionURL in
        guard var record = after, record.hasURLTarget(reference) else { throw .urlFunctionNotFound() }
        let qualifier = reference.qualifier ?? ""
        guard record.urls[qualifier] == nil else { throw .urlExists(reference.arn) }
        try record.requireNoTenants(for: "A function URL")
        var url = FunctionURL(
          id: FunctionURL.newID(world), authType: input.settings.authType ?? "", created: world.now())
        input.settings.apply(to: &url)
        record.urls[qualifier] = url
        after = record
        return url
      }
      return Output(
        reference: reference, url: url, host: call.host, showsLastModified: false,
        showsMode: input.settings.invokeMode != nil)
    }
  }
}
