/// The environment variables gridctl reads, for help and the manual; a test holds the list against the sources.
struct EnvironmentVariable: Sendable {
  let name: String
  let meaning: String

  static let all: [EnvironmentVariable] = [
    .init(name: "GRIDCTL_CONTEXT", meaning: "the context, as --context; one for each terminal"),
    .init(name: "GRIDCTL_ENDPOINTS", meaning: "nodes to try, separated by commas, as --endpoint"),
    .init(name: "GRIDCTL_NAMESPACE", meaning: "the cluster, as --namespace"),
    .init(name: "GRIDCTL_SECRET_FILE", meaning: "the file with the secret of the cluster, as --secret-file"),
    .init(name: "GRIDCTL_OUTPUT", meaning: "the output format, as --output"),
    .init(name: "GRIDCTL_TIMEOUT", meaning: "how long to wait for an answer, as --timeout"),
    .init(name: "GRIDCTL_CONFIG_DIR", meaning: "where config.toml and contexts are"),
    .init(name: "GRIDCTL_HISTFILE", meaning: "where the REPL keeps its history"),
    .init(name: "GRIDCTL_STORE", meaning: "the coordination store of a node, as --store of node start"),
    .init(name: "GRIDCTL_ETCD_USER", meaning: "the user of --store etcd://"),
    .init(name: "GRIDCTL_ETCD_PASSWORD_FILE", meaning: "a file with the password of that user"),
    .init(name: "GRIDCTL_ETCD_PASSWORD", meaning: "the password itself, where a file is not possible"),
    .init(name: "GRIDCTL_ETCD_CA", meaning: "the certificates that etcd's is checked against"),
    .init(name: "GRIDCTL_ETCD_CERT", meaning: "the certificate that is shown to etcd"),
    .init(name: "GRIDCTL_ETCD_KEY", meaning: "the key of that certificate"),
    .init(name: "GRIDCTL_FORCE_TTY", meaning: "write as to a terminal when there is none; for tests and recordings"),
    .init(name: "NO_COLOR", meaning: "when not empty: no colour"),
    .init(name: "CLICOLOR_FORCE", meaning: "when neither empty nor 0: colour even without a terminal"),
    .init(name: "TERM", meaning: "dumb: no colour"),
    .init(name: "COLUMNS", meaning: "the width of the terminal, where it cannot be asked"),
    .init(name: "LINES", meaning: "the height of the terminal, where it cannot be asked"),
    .init(name: "PAGER", meaning: "shows long help on a terminal (default: less); empty or cat: none"),
    .init(name: "LESS", meaning: "options of less (default: FRX)"),
    .init(name: "VISUAL", meaning: "the editor of context edit and :edit, before EDITOR"),
    .init(name: "EDITOR", meaning: "the editor of context edit and :edit (default: vi)"),
    .init(name: "TMPDIR", meaning: "where :edit keeps the line that is edited (default: /tmp)"),
    .init(name: "PATH", meaning: "where programs of actors and commands are looked for"),
    .init(name: "HOME", meaning: "where the directories below are when they are not set"),
    .init(name: "XDG_CONFIG_HOME", meaning: "configuration (default: ~/.config)"),
    .init(name: "XDG_STATE_HOME", meaning: "names, dead letters and logs of nodes; the context in force"),
    .init(name: "XDG_CACHE_HOME", meaning: "names for completion (default: ~/.cache)"),
    .init(name: "XDG_RUNTIME_DIR", meaning: "sockets of the nodes on this machine"),
  ]
}
