// CreateAccountAlias: gives the account an alias; a former one is replaced.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum CreateAccountAlias: Operation {
    static let route = Route.query("IAM.CreateAccountAlias")

    struct Input: Readable {
      let alias: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        alias = m.required(
          "AccountAlias", .length(3, 63), .pattern(Pattern("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$")))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let place = IAMService.place(call)
      guard !iam.aliases.all.contains(where: { $0.alias == input.alias && $0.key.place != place }) else {
        throw .accountAliasExists(input.alias)
      }
      try await iam.aliases.change(AccountAlias.key(place)) { (after: inout AccountAlias?) throws(AWSError) -> Void in
        after = AccountAlias(input.alias, place: place)
      }
      return Empty()
    }
  }
}
