using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MlNetDistill.Tests.Documentation;

/// <summary>
/// Compiles the code of a page as a new console project would, with nullable references and implicit usings, and with what the page says is given as parameters.
/// </summary>
internal static class DocumentedCode
{
    private const string Usings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; " +
        "global using System.Threading; global using System.Threading.Tasks;";

    /// <summary>What a page may say is given, with its type.</summary>
    private static readonly Dictionary<string, string> GivenTypes = new()
    {
        ["mlContext"] = "Microsoft.ML.MLContext",
        ["train"] = "Microsoft.ML.IDataView",
        ["test"] = "Microsoft.ML.IDataView",
        ["forest"] = "Microsoft.ML.ITransformer",
        ["model"] = "Microsoft.ML.ITransformer",
        ["studentMaps"] = "TorchSharp.torch.Tensor",
        ["teacherMaps"] = "TorchSharp.torch.Tensor",
        ["pixelLabels"] = "TorchSharp.torch.Tensor",
        ["letters"] = "string[]",
        ["rows"] = typeof(DocumentedRow).FullName + "[]",
        ["progress"] = "IProgress<MlNetDistill.Training.TrainingProgress>",
    };

    // An unreachable "return null", a value that a page shows and does not use, and what the SDK switches off in every project.
    private static readonly string[] Harmless = ["CS0162", "CS0219", "CS1701"];

    private static readonly Lazy<MetadataReference[]> References = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Append(typeof(DocumentedCode).Assembly.Location).Distinct().Where(File.Exists).Select(file => MetadataReference.CreateFromFile(file)),
    ]);

    /// <summary>What the compiler says against a block, with page and line; empty for nothing.</summary>
    public static IReadOnlyList<string> Faults(CodeBlock block) => Faults(Compile(block, result: null));

    /// <summary>Runs a block in a folder.</summary>
    /// <param name="block">The block.</param>
    /// <param name="folder">The current folder while it runs.</param>
    /// <param name="given">Values of what is given, in the order of the page.</param>
    /// <param name="result">The variable of the block to return; null where it returns a value itself.</param>
    public static object? Run(CodeBlock block, string folder, object[] given, string? result = null)
    {
        var compilation = Compile(block, result);
        Assert.That(Faults(compilation), Is.Empty);
        using var assembly = new MemoryStream();
        Assert.That(compilation.Emit(assembly).Success);
        var run = Assembly.Load(assembly.ToArray()).GetType("Page")!.GetMethod("Run")!;
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = folder;
        try
        {
            return run.Invoke(null, BindingFlags.DoNotWrapExceptions, null, given, null);
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    private static string[] Faults(Compilation compilation) =>
    [
        .. compilation.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning && !Harmless.Contains(d.Id)).Select(d => d.ToString()),
    ];

    private static CSharpCompilation Compile(CodeBlock block, string? result)
    {
        var isProgram = block.Program.Length > 0;
        var source = isProgram ? block.Code : InAMethod(block, result);
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        return CSharpCompilation.Create(
            $"page{Guid.NewGuid():N}",
            [CSharpSyntaxTree.ParseText(source, options, isProgram ? block.ToString() : ""), CSharpSyntaxTree.ParseText(Usings, options)],
            References.Value,
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
    }

    /// <summary>The block's statements as the body of a method, its types beside it.</summary>
    private static string InAMethod(CodeBlock block, string? result)
    {
        var root = CSharpSyntaxTree.ParseText(block.Code).GetCompilationUnitRoot();
        string Part(IEnumerable<SyntaxNode> nodes) => string.Concat(nodes.Select(node =>
            $"\n#line {block.Line + node.GetLocation().GetLineSpan().StartLinePosition.Line} \"{block.Page}\"\n{node.ToString()}\n"));
        var parameters = block.Given.Select(name => $"{GivenTypes.GetValueOrDefault(name) ?? throw new KeyNotFoundException(
            $"{block} is given '{name}', which has no type here.")} {name}");
        return $$"""
            {{Part(root.Usings)}}
            public static class Page
            {
                public static object? Run({{string.Join(", ", parameters)}})
                {
                    {{Part(root.Members.OfType<GlobalStatementSyntax>())}}
            #line hidden
                    return {{result ?? "null"}};
                }
            }
            {{Part(root.Members.Where(member => member is not GlobalStatementSyntax))}}
            """;
    }
}
