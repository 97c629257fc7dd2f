// ListProvisionedConcurrencyConfigs: what is provisioned of a function, qualifier by qualifier, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html
import MartletCore
import MartletWire

extension Lambda {
  enum ListProvisionedConcurrencyConfigs: Operation {
    static let route = Route.rest(
      "Lambda.ListProvisionedConcurrencyConfigs", .get,
      "/2019-09-30/functions/{FunctionName}/provisioned-concurrency?List=ALL")

    struct Input: Readable {
      let name: FunctionNameParts?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.plain)
        page = Page(r, atMost: 50)
      }
    }

    struct Output: Writable {
      let states: [(arn: String, state: ProvisionedConcurrencyState)]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.list("ProvisionedConcurrencyConfigs", states) {
            $0.member("FunctionArn", $1.arn)
            $1.state.write(to: &$0)
          }
          $0.member("NextMarker", next)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let record = try lambda.record(lambda.function(input.name, call))
      let page = try input.page.cut(record.provisioned.sorted { $0.key < $1.key }, key: \.key)
      let states = page.elements.map { (qualifier, config) in
        (
          arn: FunctionReference(key: record.key, qualifier: qualifier).arn,
          state: ProvisionedConcurrencyState(config, lambda.provisioned.state(record, qualifier))
        )
      }
      return Output(states: states, next: page.next)
    }
  }
}
