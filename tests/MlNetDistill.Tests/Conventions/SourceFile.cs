using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Conventions;

/// <summary>A source file of one of the libraries, and what its code uses, as the compiler sees it. Documentation comments do not count.</summary>
/// <param name="Path">The path below <c>src</c>, with slashes.</param>
/// <param name="Namespace">The namespace that it declares; empty for none.</param>
/// <param name="Uses">What it uses.</param>
internal sealed record SourceFile(string Path, string Namespace, IReadOnlyList<SourceFile.Use> Uses)
{
    private const string Usings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;";

    private static readonly Lazy<IReadOnlyList<SourceFile>> Files = new(ReadAll);

    /// <summary>All files of the libraries.</summary>
    public static IReadOnlyList<SourceFile> All => Files.Value;

    /// <summary>The folder, such as <c>MlNetDistill.Torch/Networks/Blocks</c>.</summary>
    public string Folder => Path[..Path.LastIndexOf('/')];

    private static IReadOnlyList<SourceFile> ReadAll()
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest, DocumentationMode.None);
        var root = System.IO.Path.Combine(Repository.Root, "src");
        SyntaxTree[] trees =
        [
            .. from file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
               let path = System.IO.Path.GetRelativePath(root, file).Replace('\\', '/')
               where path.Split('/') is not [_, "obj" or "bin", ..]
               select CSharpSyntaxTree.ParseText(File.ReadAllText(file), options, path),
        ];
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(System.IO.Path.PathSeparator)
            .Where(file => File.Exists(file) && !System.IO.Path.GetFileName(file).StartsWith("MlNetDistill", StringComparison.Ordinal));
        // One compilation, as one library sees the internals of the other.
        var compilation = CSharpCompilation.Create(
            "All",
            [.. trees, CSharpSyntaxTree.ParseText(Usings, options)],
            references.Select(file => MetadataReference.CreateFromFile(file)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        return [.. trees.AsParallel().Select(tree => Read(tree, compilation.GetSemanticModel(tree)))];
    }

    private static SourceFile Read(SyntaxTree tree, SemanticModel model)
    {
        var root = tree.GetCompilationUnitRoot();
        var space = root.Members.OfType<BaseNamespaceDeclarationSyntax>().SingleOrDefault();
        var uses =
            from member in space?.Members ?? root.Members
            from name in member.DescendantNodes().OfType<SimpleNameSyntax>()
            where name is not IdentifierNameSyntax { IsVar: true }
            let symbol = model.GetSymbolInfo(name).Symbol
            where symbol is ITypeSymbol or { ContainingType: not null }
            select new Use(
                name.Identifier.Text,
                symbol as ITypeSymbol ?? symbol.ContainingType,
                [.. symbol.DeclaringSyntaxReferences.Select(reference => reference.SyntaxTree.FilePath).Distinct()]);
        return new SourceFile(tree.FilePath, space?.Name.ToString() ?? "", [.. uses]);
    }

    /// <summary>A name of a type or a member in the code.</summary>
    /// <param name="Name">The name.</param>
    /// <param name="Type">The type, or the type that has the member.</param>
    /// <param name="Files">The files that declare it: several for a partial type, none for what is from another library.</param>
    public sealed record Use(string Name, ITypeSymbol Type, IReadOnlyList<string> Files);
}
