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
      let codeSize: Int
      let functionCount: Int

      func write(to w: inout Writer) {
        w.body {
          $0.object("AccountLimit") {
            $0.member("TotalCodeSize", limits.totalCodeSize.bytes)
            $0.member("CodeSizeUnzipped", limits.codeSizeUnzipped.bytes)
            $0.member("CodeSizeZipped", limits.codeSizeZipped.bytes)
            $0.member("ConcurrentExecutions", limits.concurrentExecutions)
            // No function can reserve a part of it yet.
            $0.member("UnreservedConcurrentExecutions", limits.concurrentExecutions)
          }
          $0.object("AccountUsage") {
            $0.member("TotalCodeSize", codeSize)
            $0.member("FunctionCount", functionCount)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      Output(
        limits: lambda.limits, codeSize: lambda.codeUsage(call.place),
        functionCount: lambda.functions.list(call.place).count)
    }
  }
}
