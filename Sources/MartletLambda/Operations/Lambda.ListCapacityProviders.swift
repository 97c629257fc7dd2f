// ListCapacityProviders: the capacity providers of the account and region, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListCapacityProviders.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum ListCapacityProviders: Operation {
    static let route = Route.rest("Lambda.ListCapacityProviders", .get, "/2025-11-30/capacity-providers")

    struct Input: Readable {
      let state: CapacityProvider.State?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        state = r.query("State", .oneOf(CapacityProvider.State.allCases.map(\.rawValue)))
          .flatMap { CapacityProvider.State(rawValue: $0) }
        page = Page(r, atMost: 50)
      }
    }

    struct Output: Writable {
      let providers: [CapacityProvider]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.list("CapacityProviders", providers) { $1.write(to: &$0) }
          $0.member("NextMarker", next)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let all = lambda.resources.capacityProviders.list(call.place)
      let page = try input.page.cut(all.filter { $0.state == input.state ?? $0.state }, key: \.key.name)
      return Output(providers: page.elements, next: page.next)
    }
  }
}
