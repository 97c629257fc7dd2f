// UpdateFunctionUrlConfig: changes the settings of a function's address, which stays the same.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionUrlConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum UpdateFunctionUrlConfig: Operation {
    static let route = Route.rest("Lambda.UpdateFunctionUrlConfig", .put, "/2021-10-31/functions/{FunctionName}/url")

    struct Input: Readable {
      let target: FunctionURLTarget
      let settings: FunctionURLSettings

      init(_ r: Reader) throws(AWSError) {
        target = FunctionURLTarget(r)
        settings = FunctionURLSettings(try r.smallBody("UpdateFunctionUrlConfig"), requiresAuthType: false)
      }
    }

    typealias Output = FunctionURLOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try input.target.resolve(call, lambda)
      let now = lambda.world.now()
      let url = try await lambda.functions.change(reference.key) {
        (after: inout FunctionRecord?) throws(AWSError) -> FunctionURL in
        guard var record = after, record.hasURLTarget(reference) else { throw .urlFunctionNotFound() }
        guard var url = record.urls[reference.qualifier ?? ""] else { throw .resourceNotFound() }
        input.settings.apply(to: &url)
        url.lastModified = now
        record.urls[reference.qualifier ?? ""] = url
        after = record
        return url
      }
      return Output(
        reference: reference, url: url, host: call.host, showsMode: input.settings.invokeMode != nil)
    }
  }
}
