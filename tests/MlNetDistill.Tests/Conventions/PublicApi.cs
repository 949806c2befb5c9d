using System.Reflection;
using System.Runtime.CompilerServices;

namespace MlNetDistill.Tests.Conventions;

/// <summary>What an assembly offers to others, as sorted lines of text.</summary>
internal static class PublicApi
{
    public static IEnumerable<string> Of(Assembly assembly) =>
        assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal).SelectMany(Lines);

    private static IEnumerable<string> Lines(Type type)
    {
        var kind = type switch
        {
            { IsEnum: true } => "enum",
            { IsValueType: true } => "struct",
            { IsInterface: true } => "interface",
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsAbstract: true } => "abstract class",
            { IsSealed: true } => "sealed class",
            _ => "class",
        };
        yield return $"{kind} {type.FullName}";
        if (type.IsEnum)
        {
            foreach (var name in Enum.GetNames(type))
                yield return $"    {name} = {Convert.ToInt64(Enum.Parse(type, name))}";
            yield break;
        }

        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var members = type.GetConstructors(Declared).Where(Visible).Select(c => $"new({Parameters(c)})")
            .Concat(type.GetMethods(Declared).Where(m => Visible(m) && !IsCompilers(m)).Select(Signature))
            .Concat(type.GetFields(Declared).Where(f => f.IsPublic || f.IsFamily).Select(f => $"{f.Name} : {Name(f.FieldType)}"));
        foreach (var member in members.Order(StringComparer.Ordinal))
            yield return $"    {member}";
    }

    private static bool Visible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    // What the compiler adds to records says nothing that the properties do not.
    private static bool IsCompilers(MethodInfo method) =>
        method.GetCustomAttribute<CompilerGeneratedAttribute>() is not null && !method.IsSpecialName;

    private static string Signature(MethodInfo method) =>
        $"{(method.IsStatic ? "static " : "")}{(method.IsAbstract ? "abstract " : "")}{method.Name}({Parameters(method)}) : {Name(method.ReturnType)}";

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? $" = {p.DefaultValue ?? "null"}" : "")}"));

    private static string Name(Type type) => type.IsGenericType
        ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.Name;
}
