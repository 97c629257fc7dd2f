// PutFunctionEventInvokeConfig: says how asynchronous invocations are retried; what is left out is as by default.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum PutFunctionEventInvokeConfig: Operation {
    static let route = Route.rest(
      "Lambda.PutFunctionEventInvokeConfig", .put, "/2019-09-25/functions/{FunctionName}/event-invoke-config")

    struct Input: Readable {
      let invoke: EventInvokeInput

      init(_ r: Reader) throws(AWSError) { invoke = try EventInvokeInput(r, "PutFunctionEventInvokeConfig") }
    }

    typealias Output = EventInvokeOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let request = input.invoke.request
      return try await lambda.changeEventInvoke(input.invoke, call) {
        (_, _, now) throws(AWSError) -> EventInvokeConfig in
        request.changing(EventInvokeConfig(lastModified: now), at: now)
      }
    }
  }
}
