/// The scripts that make shells ask `gridctl __complete`.
///
/// None of them lets the shell evaluate a candidate: names come from other machines. `Completions/` holds the same
/// texts for packages; a test compares them.
enum CompletionScripts {
  static func text(_ shell: ShellAnswer.Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  // No compgen: its -W expands what it is given. The line is cut here because bash counts in characters or bytes, as
  // the locale has it.
  private static let bash = #"""
    # bash completion for gridctl. Candidates are inserted as they come, escaped; nothing of them is evaluated.
    _gridctl() {
        local line
        COMPREPLY=()
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
            command "${COMP_WORDS[0]}" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
        if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/,] ]]; then compopt -o nospace; fi
    }
    complete -o nosort -F _gridctl gridctl

    """#

  private static let zsh = #"""
    #compdef gridctl
    # zsh completion for gridctl. compadd quotes what it inserts; nothing of it is evaluated.
    _gridctl() {
        emulate -L zsh
        local line tab=$'\t'
        local -a values shown open openshown
        while IFS= read -r line; do
            [[ -n $line ]] || continue
            local value=${line%%$tab*} detail=${line#*$tab}
            local text=$value
            [[ -n $detail ]] && text="$value  -- $detail"
            if [[ $value == *[=/,] ]]; then
                open+=("$value"); openshown+=("$text")
            else
                values+=("$value"); shown+=("$text")
            fi
        done < <(command "${(Q)words[1]}" __complete zsh "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
        (( $#values )) && compadd -l -d shown -a values
        (( $#open )) && compadd -S '' -l -d openshown -a open
        return 0
    }
    if [[ $funcstack[1] == _gridctl ]]; then _gridctl "$@"; else compdef _gridctl gridctl; fi

    """#

  private static let fish = #"""
    # fish completion for gridctl. fish escapes what it inserts; nothing of it is evaluated.
    function __gridctl_complete
        set -l words (commandline -opc)
        set -l current (commandline -ct | string unescape)
        test (count $current) -eq 1; or set current ''
        command $words[1] __complete fish $words $current 2>/dev/null
    end
    complete -c gridctl -f -a '(__gridctl_complete)'

    """#
}
