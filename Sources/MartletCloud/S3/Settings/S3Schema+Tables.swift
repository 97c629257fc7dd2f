// Schemas of what is said of all of a bucket: who may use it, who pays, how it is locked, tagged, encrypted and served.
extension S3Schema {
  static let tag: S3Schema = .of([.must("Key", .text), .must("Value", .text)])

  static let onOff: S3Schema = .choice(["Enabled", "Disabled"])

  static let grantee: S3Schema = .of([
    .may("DisplayName", .text), .may("EmailAddress", .text), .may("ID", .text), .may("URI", .text),
  ])

  static let abac: S3Schema = .of([
    .may("Status", S3Schema.onOff)
  ])

  static let accelerate: S3Schema = .of([
    .may("Status", .choice(["Enabled", "Suspended"]))
  ])

  static let accessControl: S3Schema = .of([
    .may(
      "AccessControlList",
      .of([
        .many(
          "Grant",
          .of([
            .may("Grantee", S3Schema.grantee),
            .may("Permission", .choice(["FULL_CONTROL", "WRITE", "WRITE_ACP", "READ", "READ_ACP"])),
          ]))
      ])),
    .may(
      "Owner",
      .of([
        .may("DisplayName", .text),
        .may("ID", .text),
      ])),
  ])

  static let cors: S3Schema = .of([
    .some(
      "CORSRule",
      .of([
        .may("ID", .text),
        .many("AllowedHeader", .text),
        .some("AllowedMethod", .text),
        .some("AllowedOrigin", .text),
        .many("ExposeHeader", .text),
        .may("MaxAgeSeconds", .integer),
      ]))
  ])

  static let encryption: S3Schema = .of([
    .some(
      "Rule",
      .of([
        .may(
          "ApplyServerSideEncryptionByDefault",
          .of([
            .must("SSEAlgorithm", .choice(["AES256", "aws:fsx", "aws:backup", "aws:kms", "aws:kms:dsse"])),
            .may("KMSMasterKeyID", .text),
          ])),
        .may("BucketKeyEnabled", .flag),
        .may(
          "BlockedEncryptionTypes",
          .of([
            .many("EncryptionType", .choice(["NONE", "SSE-C"]))
          ])),
      ]))
  ])

  static let objectLock: S3Schema = .of([
    .may("ObjectLockEnabled", .choice(["Enabled"])),
    .may(
      "Rule",
      .of([
        .may(
          "DefaultRetention",
          .of([
            .may("Mode", .choice(["GOVERNANCE", "COMPLIANCE"])),
            .may("Days", .integer),
            .may("Years", .integer),
            .may(
              "DefaultEventHold",
              .of([
                .may("Days", .integer),
                .may("Years", .integer),
              ])),
          ]))
      ])),
  ])

  static let retention: S3Schema = .of([
    .may("Mode", .choice(["GOVERNANCE", "COMPLIANCE"])),
    .may("RetainUntilDate", .moment),
    .may("EventHold", .choice(["ON", "OFF"])),
    .may(
      "EventHoldDuration",
      .of([
        .may("Days", .integer),
        .may("Years", .integer),
      ])),
  ])

  static let legalHold: S3Schema = .of([
    .may("Status", .choice(["ON", "OFF"]))
  ])

  static let ownershipControls: S3Schema = .of([
    .some(
      "Rule",
      .of([
        .must("ObjectOwnership", .choice(["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"]))
      ]))
  ])

  static let publicAccessBlock: S3Schema = .of([
    .may("BlockPublicAcls", .flag),
    .may("IgnorePublicAcls", .flag),
    .may("BlockPublicPolicy", .flag),
    .may("RestrictPublicBuckets", .flag),
  ])

  static let requestPayment: S3Schema = .of([
    .must("Payer", .choice(["Requester", "BucketOwner"]))
  ])

  static let tagging: S3Schema = .of([
    .must(
      "TagSet",
      .of([
        .many("Tag", S3Schema.tag)
      ]))
  ])

  static let website: S3Schema = .of([
    .may(
      "ErrorDocument",
      .of([
        .must("Key", .text)
      ])),
    .may(
      "IndexDocument",
      .of([
        .must("Suffix", .text)
      ])),
    .may(
      "RedirectAllRequestsTo",
      .of([
        .must("HostName", .text),
        .may("Protocol", .choice(["http", "https"])),
      ])),
    .may(
      "RoutingRules",
      .of([
        .many(
          "RoutingRule",
          .of([
            .may(
              "Condition",
              .of([
                .may("HttpErrorCodeReturnedEquals", .text),
                .may("KeyPrefixEquals", .text),
              ])),
            .must(
              "Redirect",
              .of([
                .may("HostName", .text),
                .may("HttpRedirectCode", .text),
                .may("Protocol", .choice(["http", "https"])),
                .may("ReplaceKeyPrefixWith", .text),
                .may("ReplaceKeyWith", .text),
              ])),
          ]))
      ])),
  ])
}
