using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Conventions;

/// <summary>
/// A null where none is allowed is refused by the name of the argument, in every public constructor and static method and in the methods of what users hold in
/// their hands. What the library calls (a block's forward, a loss's Evaluate, a sampler's Epoch) is given no nulls.
/// </summary>
public sealed class NullArgumentTests
{
    private static readonly Assembly[] Libraries = [typeof(DistillationTrainer).Assembly, typeof(Network).Assembly, typeof(BatchScorer).Assembly];
    private static readonly MLContext Context = Rows.Context();

    private static readonly object[] Samples =
    [
        "text", Context, Context.Model, Context.MulticlassClassification, Context.MulticlassClassification.Trainers, Context.Data, ones(2, 2), new Generator(1), nn.Identity(),
        NetworkSpec.Mlp(2), Rows.Quick(), Context.Regression(), ToyModels.Points, Context.Keyed(Rows.Points(3)), NullLogger.Instance, new MemoryStream(), new RowsProgress(),
        DistillationMethod.Kd(), Optimizer.Sgd(), LearningRateSchedule.Constant(), Teacher.FromColumn("Score"), EmbeddingTeacher.FromColumn("Score"), new Losses.KdLoss(1), new Relu(), NetworkSpec.Mlp(2).Build(new NetworkInput(InputShape.Vector(2)), 2, 1),
        Context.Model.CreateBatchScorer(ToyModels.Points, Context.Data.LoadFromEnumerable(Rows.Points(3)).Schema),
    ];

    [Test]
    public void It_is_named()
    {
        var faults = new List<string>();
        foreach (var type in Libraries.SelectMany(library => library.GetExportedTypes()).Where(t => !t.IsEnum && !typeof(Delegate).IsAssignableFrom(t)))
        {
            foreach (var method in Members(type))
                faults.AddRange(Validate(type, method));
        }

        Assert.That(faults, Is.Empty, string.Join(Environment.NewLine, faults));
    }

    // Settings that a trainer refuses with all its other faults, by name; and a schema that ML.NET itself takes as none.
    private static readonly string[] RefusedLater = ["scoreColumnName", "labelColumnName", "inputSchema"];

    private static readonly Type[] CalledByTheLibrary =
        [typeof(nn.Module), typeof(Losses.DistillationLoss), typeof(MlNetDistill.Data.Sampler), typeof(MlNetDistill.Teachers.StageTeacher), typeof(TensorArithmetic)];

    private static IEnumerable<MethodBase> Members(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var isRecord = type.GetMethod("<Clone>$") is not null;
        // Records are plain data, which is checked where it is used.
        foreach (var constructor in isRecord || type.IsAbstract ? [] : type.GetConstructors())
            yield return constructor;
        foreach (var method in type.GetMethods(Declared).Where(m => !m.IsAbstract && m.GetCustomAttribute<CompilerGeneratedAttribute>() is null && m.Name != "Equals"))
        {
            if (CalledByTheLibrary.Any(t => t.IsAssignableFrom(type)) && (!method.IsStatic || (type.IsAbstract && type.IsSealed)))
                continue;
            if (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
                yield return method;
        }
    }

    private static IEnumerable<string> Validate(Type type, MethodBase method)
    {
        if (method is MethodInfo { IsGenericMethodDefinition: true } generic)
            method = generic.MakeGenericMethod([.. generic.GetGenericArguments().Select(_ => typeof(Point))]);
        var parameters = method.GetParameters();
        for (var i = 0; i < parameters.Length; i++)
        {
            if (parameters[i].ParameterType.IsValueType || parameters[i].ParameterType.IsByRef || new NullabilityInfoContext().Create(parameters[i]).WriteState == NullabilityState.Nullable)
                continue;
            if (Fault(type, method, i) is { } fault)
                yield return $"{type.Name}.{method.Name}({string.Join(", ", parameters.Select(p => p.Name))}), {parameters[i].Name}: {fault}";
        }
    }

    private static string? Fault(Type type, MethodBase method, int at)
    {
        var parameters = method.GetParameters();
        object?[] arguments = [.. parameters.Select((p, i) => i == at ? null : Sample(p.ParameterType, p))];
        if (parameters.Where((p, i) => i != at && !p.IsOut && !p.ParameterType.IsValueType && arguments[i] is null && new NullabilityInfoContext().Create(p).WriteState != NullabilityState.Nullable).Any()
            || parameters.Any(p => p.ParameterType.IsByRefLike))
            return "no sample";
        var target = method.IsStatic || method.IsConstructor ? null : Sample(type, null);
        if (!method.IsStatic && !method.IsConstructor && target is null)
            return "no instance";
        try
        {
            _ = method is ConstructorInfo constructor ? constructor.Invoke(arguments) : method.Invoke(target, arguments);
            return RefusedLater.Contains(parameters[at].Name) ? null : "accepted";
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentNullException named && named.ParamName == parameters[at].Name)
        {
            return null;
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException and not ArgumentNullException)
        {
            // With the other faults of the settings; or an argument before this one does not fit the sample.
            var (name, message) = (parameters[at].Name!, e.InnerException.Message);
            return message.Contains(name, StringComparison.OrdinalIgnoreCase) || RefusedLater.Contains(name)
                || parameters.Take(at).Any(p => p.Name == ((ArgumentException)e.InnerException).ParamName) ? null : $"{e.InnerException.GetType().Name} {message}";
        }
        catch (TargetInvocationException e)
        {
            return $"{e.InnerException!.GetType().Name} {e.InnerException.Message}";
        }
    }

    private static object? Sample(Type type, ParameterInfo? parameter)
    {
        if (parameter is { HasDefaultValue: true, DefaultValue: { } given } && type.IsInstanceOfType(given))
            return given;
        if (type.IsByRefLike || type.IsByRef)
            return null;
        if (type.IsValueType)
            return type == typeof(int) ? 2 : type == typeof(double) ? 1.0 : Activator.CreateInstance(type);
        if (Samples.FirstOrDefault(type.IsInstanceOfType) is { } sample)
            return sample;
        if (typeof(Delegate).IsAssignableFrom(type) && !type.IsAbstract)
        {
            var invoke = type.GetMethod("Invoke")!;
            return Expression.Lambda(type, Expression.Default(invoke.ReturnType), [.. invoke.GetParameters().Select(p => Expression.Parameter(p.ParameterType))]).Compile();
        }

        if (type.IsArray || (type.IsGenericType && type.GetInterfaces().Append(type).Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>))))
        {
            var element = type.GetElementType() ?? type.GetGenericArguments()[0];
            var array = Array.CreateInstance(element, 0);
            return type.IsInstanceOfType(array) ? array : null;
        }

        return Libraries.SelectMany(library => library.GetTypes()).Append(type)
            .Where(t => type.IsAssignableFrom(t) && !t.IsAbstract && !t.ContainsGenericParameters && !t.IsInterface)
            .Where(t => !typeof(nn.Module).IsAssignableFrom(t) && !typeof(Tensor).IsAssignableFrom(t))
            .Select(RuntimeHelpers.GetUninitializedObject).FirstOrDefault();
    }
}
