using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>A TorchScript archive of which the code was changed word by word, with checksums that are right again: other operators, arguments, types and names.</summary>
internal sealed partial class ScriptCode : ScriptTeacher
{
    private static readonly string[] Instead =
    [
        "aten", "prim", "relu", "linear", "dropout", "matmul", "add", "int", "float", "Tensor", "None", "True", "-1", "0", "99999999999999999999", "1e400", "self", "x", "forward",
        "training", "List[int]", "Optional[Tensor]", "Tuple[Tensor, Tensor]", "(", ")", ":", "=", ".", ",", "return", "import", "__torch__", "raise", "\"", "\\",
        "while True:\n    pass", "while True:\n      x = torch.add(x, x)", "torch.zeros([100000, 100000])", "torch.frobnicate(x)", "ops.aten.frobnicate(x)", "annotate(",
        "uninitialized(Tensor)", "unchecked_cast(Tensor, x)",
    ];

    public override string Name => "torchscript-code";

    public override string Title => "TorchScript teacher, words of its code changed, right checksums";

    public override bool IsUnguarded => true;

    public override string Damage(string folder, Random random)
    {
        using var archive = ZipFile.Open(Path.Combine(folder, FileName), ZipArchiveMode.Update);
        var files = archive.Entries.Where(entry => entry.FullName.EndsWith(".py", StringComparison.Ordinal)).ToList();
        var file = files[random.Next(files.Count)];
        var name = file.FullName;
        string code;
        using (var reader = new StreamReader(file.Open()))
            code = reader.ReadToEnd();
        var what = name + ": ";
        for (var changes = random.Next(1, 3); changes > 0; changes--)
            (code, what) = (Changed(code, random, out var change), what + change);
        file.Delete();
        using var writer = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
        writer.Write(Encoding.UTF8.GetBytes(code));
        return what;
    }

    private static string Changed(string code, Random random, out string what)
    {
        var tokens = Token().Matches(code);
        var token = tokens[random.Next(tokens.Count)];
        var word = random.Next(3) == 0 ? tokens[random.Next(tokens.Count)].Value : Instead[random.Next(Instead.Length)];
        var (before, after) = (code[..token.Index], code[(token.Index + token.Length)..]);
        var instead = random.Next(4) switch
        {
            0 => "",
            1 => $"{word} {token.Value}",
            2 => token.Value + "x",
            _ => word,
        };
        what = $"'{token.Value}' to '{instead}'; ";
        return before + instead + after;
    }

    [GeneratedRegex(@"\w+|[^\w\s]")]
    private static partial Regex Token();
}
