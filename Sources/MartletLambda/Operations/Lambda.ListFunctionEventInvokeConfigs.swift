// ListFunctionEventInvokeConfigs: a function's configurations of asynchronous invocation, qualifier by qualifier.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionEventInvokeConfigs.html
import MartletCore
import MartletWire

extension Lambda {
  enum ListFunctionEventInvokeConfigs: Operation {
    static let route = Route.rest(
      "Lambda.ListFunctionEventInvokeConfigs", .get, "/2019-09-25/functions/{FunctionName}/event-invoke-config/list")

    struct Input: Readable {
      let name: FunctionNameParts?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        page = Page(r, atMost: 50)
      }
    }

    struct Output: Writable {
      let key: FunctionKey
      let configs: [(key: String, value: EventInvokeConfig)]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.list("FunctionEventInvokeConfigs", configs) { $1.value.write(to: &$0, of: key, $1.key) }
          $0.member("NextMarker", next)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.reference(input.name, qualifier: nil, call).key
      guard let record = lambda.functions.find(key) else { throw .eventInvokeFunctionNotFound() }
      let page = try input.page.cut(record.eventInvokeConfigs.sorted { $0.key < $1.key }, key: \.key)
      return Output(key: key, configs: page.elements, next: page.next)
    }
  }
}
