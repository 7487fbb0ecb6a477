# fish completion for gridctl. fish escapes what it inserts; nothing of it is evaluated.
function __gridctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct | string unescape)
    test (count $current) -eq 1; or set current ''
    command $words[1] __complete fish $words $current 2>/dev/null
end
complete -c gridctl -f -a '(__gridctl_complete)'
