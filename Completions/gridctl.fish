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
