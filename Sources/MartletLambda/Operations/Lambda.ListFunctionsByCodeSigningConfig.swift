// ListFunctionsByCodeSigningConfig: the functions that use a code signing configuration, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionsByCodeSigningConfig.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum ListFunctionsByCodeSigningConfig: Operation {
    static let route = Route.rest(
      "Lambda.ListFunctionsByCodeSigningConfig", .get,
      "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions")

    struct Input: Readable {
      let arn: String
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        arn = r.codeSigningConfigARN()
        page = Page(r)
      }
    }

    struct Output: Writable {
      let functions: [String]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.member("NextMarker", next)
          $0.member("FunctionArns", functions)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let arn = try lambda.codeSigningConfig(input.arn, call).arn
      let users = lambda.functions.catalogue.list(call.place).filter { $0.codeSigningConfigARN == arn }
      let page = try input.page.cut(users, key: \.key.name)
      return Output(functions: page.elements.map(\.latest.unqualifiedARN), next: page.next)
    }
  }
}
