// GetAccountSettings: the account's limits in this region, and how much of them is in use.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetAccountSettings: Operation {
    static let route = Route.rest("Lambda.GetAccountSettings", .get, "/2016-08-19/account-settings")

    typealias Input = Empty

    struct Output: Writable {
      let limits: LambdaLimits
      let figures: FunctionTable.Figures
      let layerSize: Int

      func write(to w: inout Writer) {
        w.body {
          $0.object("AccountLimit") {
            $0.member("TotalCodeSize", limits.totalCodeSize.bytes)
            $0.member("CodeSizeUnzipped", limits.codeSizeUnzipped.bytes)
            $0.member("CodeSizeZipped", limits.codeSizeZipped.bytes)
            $0.member("ConcurrentExecutions", limits.concurrentExecutions)
            $0.member("UnreservedConcurrentExecutions", limits.concurrentExecutions - figures.setAside)
          }
          $0.object("AccountUsage") {
            $0.member("TotalCodeSize", figures.codeSize + layerSize)
            $0.member("FunctionCount", figures.functions)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      Output(
        limits: lambda.limits, figures: lambda.functions.figures(call.place),
        layerSize: lambda.layers.codeSize(call.place))
    }
  }
}
