// ListFunctionUrlConfigs: the addresses of a function and its aliases, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html
import MartletCore
import MartletWire

extension Lambda {
  enum ListFunctionUrlConfigs: Operation {
    static let route = Route.rest("Lambda.ListFunctionUrlConfigs", .get, "/2021-10-31/functions/{FunctionName}/urls")

    struct Input: Readable {
      let name: FunctionNameParts?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.alias)
        page = Page(r, atMost: 50)
      }
    }

    struct Output: Writable {
      let urls: [FunctionURLOutput]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.list("FunctionUrlConfigs", urls) { $1.write(to: &$0) }
          $0.member("NextMarker", next)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.reference(input.name, qualifier: nil, call).key
      guard let record = lambda.functions.find(key) else { throw .urlFunctionNotFound() }
      let page = try input.page.cut(record.urls.sorted { $0.key < $1.key }, key: \.key)
      let urls = page.elements.map { (qualifier, url) in
        FunctionURLOutput(
          reference: FunctionReference(key: key, qualifier: qualifier.isEmpty ? nil : qualifier), url: url,
          host: call.host)
      }
      return Output(urls: urls, next: page.next)
    }
  }
}
