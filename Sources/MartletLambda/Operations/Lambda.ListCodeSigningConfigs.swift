// ListCodeSigningConfigs: the code signing configurations of the account and region, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListCodeSigningConfigs.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum ListCodeSigningConfigs: Operation {
    static let route = Route.rest("Lambda.ListCodeSigningConfigs", .get, "/2020-04-22/code-signing-configs")

    struct Input: Readable {
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        page = Page(r)
      }
    }

    struct Output: Writable {
      let configs: [CodeSigningConfig]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.member("NextMarker", next)
          $0.list("CodeSigningConfigs", configs) { $1.write(to: &$0) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let page = try input.page.cut(key: \CodeSigningConfig.key.name) { (last, count) in
        lambda.resources.codeSigningConfigs.page(call.place, after: last, count: count)
      }
      return Output(configs: page.elements, next: page.next)
    }
  }
}
