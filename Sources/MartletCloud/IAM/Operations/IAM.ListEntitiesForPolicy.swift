// ListEntitiesForPolicy: who has a managed policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum ListEntitiesForPolicy: Operation {
    static let route = Route.query("IAM.ListEntitiesForPolicy")

    struct Input: Readable {
      let arn: String
      let filter: String?
      let prefix: String
      let usage: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
        filter = m.string("EntityFilter", .oneOf(["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]))
        prefix = m.iamPathPrefix()
        usage =
          m.string("PolicyUsageFilter", .oneOf(["PermissionsPolicy", "PermissionsBoundary"])) ?? "PermissionsPolicy"
        page = IAMPage(m)
      }
    }

    struct Holder: Sendable {
      let noun: IAMNoun
      let name: String
      let id: String
      var order: String { "\(noun.word) \(name)" }
    }

    struct Output: Writable {
      let part: IAMPage.Part<Holder>

      func write(to w: inout Writer) {
        w.body { w in
          for noun in [IAMGroup.noun, IAMUser.noun, IAMRole.noun] {
            w.list("Policy\(noun.title)s", part.elements.filter { $0.noun.word == noun.word }) { w, holder in
              w.member("\(noun.title)Name", holder.name)
              w.member("\(noun.title)Id", holder.id)
            }
          }
          w.member("IsTruncated", part.marker != nil)
          w.member("Marker", part.marker)
        }
      }
    }

    private static func holders<Kind: PolicyHolder>(
      _ kind: Kind.Type, _ input: Input, _ call: Call, _ iam: IAMService
    ) -> [Holder] {
      guard input.filter == nil || input.filter == Kind.noun.title else { return [] }
      return iam.list(kind, below: input.prefix, call)
        .filter { holder in
          input.usage == "PermissionsBoundary"
            ? holder.policies.boundary == input.arn : holder.policies.attached.contains(input.arn)
        }
        .map { Holder(noun: Kind.noun, name: $0.entity.name, id: $0.entity.id) }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      _ = try iam.policy(input.arn, call)
      let all =
        holders(IAMGroup.self, input, call, iam) + holders(IAMUser.self, input, call, iam)
        + holders(IAMRole.self, input, call, iam)
      return Output(part: try input.page.cut(all.sorted { $0.order < $1.order }, by: \.order))
    }
  }
}
