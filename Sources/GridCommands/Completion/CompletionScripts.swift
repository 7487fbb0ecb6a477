/// The scripts that make shells ask `gridctl __complete`.
///
/// None of them lets the shell evaluate a candidate: names come from other machines. The program on the line is called,
/// wherever it is; its word is what was typed, so that `~` and variables in it are replaced here, by hand.
/// `Completions/` holds the same texts for packages; a test compares them.
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

    # The program that a word names: quotes taken off, ~ and variables replaced by their values, nothing run.
    _gridctl_program() {
        local rest=$1 name value
        rest=${rest//[\"\'\\]/}
        program=
        if [[ $rest == '~/'* ]]; then
            program=$HOME rest=${rest:1}
        elif [[ $rest =~ ^~([A-Za-z_][A-Za-z0-9._-]*)(/.*)$ ]]; then
            rest=${BASH_REMATCH[2]}
            IFS=: read -r _ _ _ _ _ program _ < <(getent passwd "${BASH_REMATCH[1]}" 2>/dev/null)
        fi
        while [[ $rest =~ ^([^$]*)[$]([{]([A-Za-z_][A-Za-z0-9_]*)[}]|([A-Za-z_][A-Za-z0-9_]*))(.*)$ ]]; do
            name=${BASH_REMATCH[3]}${BASH_REMATCH[4]}
            rest=${BASH_REMATCH[5]}
            program+=${BASH_REMATCH[1]}${!name-}
        done
        program+=$rest
    }
    _gridctl() {
        local line program
        COMPREPLY=()
        _gridctl_program "${COMP_WORDS[0]}"
        # An alias is no program.
        type -P -- "$program" >/dev/null || program=gridctl
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
            command "$program" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
        if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/,] ]]; then compopt -o nospace; fi
    }
    complete -o nosort -F _gridctl gridctl

    """#

  private static let zsh = #"""
    #compdef gridctl
    # zsh completion for gridctl. compadd quotes what it inserts; nothing of it is evaluated.

    # The program that a word names: quotes taken off, ~ and variables replaced by their values, nothing run.
    _gridctl_program() {
        emulate -L zsh
        local rest=${(Q)1} name
        local -a match mbegin mend
        program=
        if [[ $rest == '~/'* ]]; then
            program=$HOME rest=${rest#'~'}
        elif [[ $rest =~ '^~([A-Za-z_][A-Za-z0-9._-]*)(/.*)$' ]]; then
            rest=$match[2]
            program=${userdirs[$match[1]]}
        fi
        while [[ $rest =~ '^([^$]*)[$]([{]([A-Za-z_][A-Za-z0-9_]*)[}]|([A-Za-z_][A-Za-z0-9_]*))(.*)$' ]]; do
            name=$match[3]$match[4]
            rest=$match[5]
            program+=$match[1]${(P)name}
        done
        program+=$rest
    }
    _gridctl() {
        emulate -L zsh
        local line program tab=$'\t'
        local -a values shown open openshown
        _gridctl_program "$words[1]"
        (( $+commands[$program] )) || [[ -x $program ]] || program=gridctl
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
        done < <(command "$program" __complete zsh "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
        (( $#values )) && compadd -l -d shown -a values
        (( $#open )) && compadd -S '' -l -d openshown -a open
        return 0
    }
    if [[ $funcstack[1] == _gridctl ]]; then _gridctl "$@"; else compdef _gridctl gridctl; fi

    """#

  private static let fish = #"""
    # fish completion for gridctl. fish escapes what it inserts; nothing of it is evaluated.

    # The program that a word names: ~ and variables replaced by their values, nothing run.
    function __gridctl_program
        set -l rest $argv[1]
        set -l program ''
        set -l parts (string match -r '^~([A-Za-z0-9._-]*)(/.*)$' -- $rest)
        if set -q parts[3]
            if test -z "$parts[2]"
                set program $HOME
            else if command -q getent
                set program (getent passwd $parts[2] | string split -f 6 :)
            end
            set rest $parts[3]
        end
        while set parts (string match -r '^([^$]*)[$]([{]?)([A-Za-z_][A-Za-z0-9_]*)[}]?(.*)$' -- $rest)
            set -l name $parts[4]
            set program $program$parts[2]"$$name"
            set rest $parts[5]
        end
        echo -- $program$rest
    end
    function __gridctl_complete
        set -l words (commandline -opc)
        set -l current (commandline -ct | string unescape)
        test (count $current) -eq 1; or set current ''
        set -l program (__gridctl_program $words[1])
        command -q -- $program; or set program gridctl
        command $program __complete fish $words $current 2>/dev/null
    end
    complete -c gridctl -f -a '(__gridctl_complete)'

    """#
}
