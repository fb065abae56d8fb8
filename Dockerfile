# Two images. The last one is what `docker build .` makes: the service. `--target demo` makes the demo, which also contains the load
# generator and the simulated external system; compose.yaml names their main classes.
FROM maven:3.9-eclipse-temurin-25 AS build
WORKDIR /build
COPY pom.xml ./
COPY testkit/pom.xml testkit/
COPY app/pom.xml app/
COPY demo/pom.xml demo/
# A module of the same build, of which nothing more is needed here.
COPY benchmark/pom.xml benchmark/
COPY testkit/src/main testkit/src/main
COPY app/src/main app/src/main
COPY demo/src/main demo/src/main
# The browser client, which is packed into the jar of the service.
COPY client/src client/src
# The commit, for lastmile_build_info: --build-arg REVISION=$(git rev-parse HEAD).
ARG REVISION=unknown
# The cache outlives the build: a change of the source downloads nothing.
RUN --mount=type=cache,target=/root/.m2 \
    mvn --batch-mode --no-transfer-progress --quiet -pl demo -am package -Dmaven.test.skip=true -Dlastmile.revision=$REVISION
# Libraries change seldom, and get layers of their own.
RUN cp app/target/lastmile-boot.jar lastmile.jar && cp demo/target/lastmile-demo-boot.jar lastmile-demo.jar \
    && java -Djarmode=tools -jar lastmile.jar extract --layers --destination service \
    && java -Djarmode=tools -jar lastmile-demo.jar extract --layers --destination demonstration \
    && mkdir -p logs

FROM eclipse-temurin:25-jre-noble AS runtime
WORKDIR /app
COPY --from=build /build/app/target/agent/opentelemetry-javaagent.jar ./
COPY otel-agent/agent.yaml ./
# A named volume that is mounted here begins with this owner.
COPY --from=build --chown=10001:10001 /build/logs/ /var/log/lastmile/
USER 10001:10001
# 8081 for browsers and webhooks, 9081 for operators.
EXPOSE 8081 9081

FROM runtime AS demo
COPY --from=build /build/demonstration/dependencies/ ./
COPY --from=build /build/demonstration/spring-boot-loader/ ./
COPY --from=build /build/demonstration/snapshot-dependencies/ ./
COPY --from=build /build/demonstration/application/ ./
ENTRYPOINT ["java", "-jar", "lastmile-demo.jar"]

FROM runtime AS service
COPY --from=build /build/service/dependencies/ ./
COPY --from=build /build/service/spring-boot-loader/ ./
COPY --from=build /build/service/snapshot-dependencies/ ./
COPY --from=build /build/service/application/ ./
# No shell: the process is the first of its container and gets SIGTERM itself, which begins its drain.
ENTRYPOINT ["java", "-jar", "lastmile.jar"]
